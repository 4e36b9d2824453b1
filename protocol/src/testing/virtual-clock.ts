import type { Clock } from '../runtime/index.ts';
import { type Timer, TimerQueue } from './timer-queue.ts';

export interface VirtualClockOptions {
  /** Wall time at the start, ms since the Unix epoch. */
  readonly startMs?: number;
  /**
   * Timers that run between two looks at the system, which cost more than most of what is simulated. Left out: one, so that what is real in a test (a
   * socket, a file) comes in between; where nothing is real, more.
   */
  readonly timersPerPoll?: number;
}

/** A wait that never ends is a defect of the test or of the code: more timers than this in one call to {@link VirtualClock.advance}. */
const mostTimersPerAdvance = 1_000_000;

/**
 * A clock that stands still until it is told to move. Timers run in the order they fall due, those due at the same moment in
 * the order they were set; after each one, everything that its callback set free runs before the next.
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue();
  readonly #timersPerPoll: number;
  #wallMs: number;
  #elapsedMs = 0;
  #sequence = 0;
  #advancing = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallMs = options.startMs ?? Date.UTC(2026, 0, 1);
    this.#timersPerPoll = options.timersPerPoll ?? 1;
  }

  nowMs(): number {
    return Math.trunc(this.#wallMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(name: string, delayMs: number, callback: () => void): () => void {
    if (Number.isNaN(delayMs)) throw new RangeError(`timer ${name}: the delay is not a number`);
    const dueMs = this.#elapsedMs + Math.max(0, delayMs);
    const timer: Timer = { name, dueMs, sequence: this.#sequence++, callback, place: -1 };
    this.#timers.add(timer);
    return () => this.#timers.remove(timer);
  }

  soon(name: string, callback: () => void): void {
    this.after(name, 0, callback);
  }

  /** Names of the timers that wait, the next one first. */
  pending(): string[] {
    return this.#timers.inOrder().map((timer) => timer.name);
  }

  /** Moves wall time alone, forwards or backwards, as a corrected or a wrong system clock does. Timers do not notice. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Moves time on by `ms` and runs what falls due, that set on the way included. Rejects with what a callback throws. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time moves forwards: ${ms} ms`);
    await this.#exclusively(async () => {
      const endMs = this.#elapsedMs + ms;
      await settled();
      let ran = 0;
      await inTurns(this.#timersPerPoll, () => {
        if (ran++ >= mostTimersPerAdvance) throw new Error(`timers without end: ${this.#waiting()}`);
        return this.#runNext(endMs);
      });
      this.#elapsedMs = endMs;
    });
  }

  /**
   * Moves time on from timer to timer until `promise` is settled, and returns its value.
   * @throws when it is not within `limitMs` of virtual time, or when nothing is left to wait for: with the names of the timers.
   */
  async until<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    promise.then(end, end);
    await this.#exclusively(async () => {
      const endMs = this.#elapsedMs + limitMs;
      await settled();
      while (!over) {
        if (this.#runNext(endMs)) {
          await settled();
          continue;
        }
        if (this.#timers.size === 0 && (await happens(() => over || this.#timers.size > 0))) continue;
        throw new Error(`not settled within ${limitMs} ms; waiting: ${this.#waiting()}`);
      }
    });
    return promise;
  }

  /** @returns false when none is due by then */
  #runNext(endMs: number): boolean {
    const next = this.#timers.first;
    if (!next || next.dueMs > endMs) return false;
    this.#timers.remove(next);
    this.#elapsedMs = next.dueMs;
    next.callback();
    return true;
  }

  async #exclusively(action: () => Promise<void>): Promise<void> {
    if (this.#advancing) throw new Error('the clock is being moved already: await the last call first');
    this.#advancing = true;
    try {
      await action();
    } finally {
      this.#advancing = false;
    }
  }

  #waiting(): string {
    return this.pending().slice(0, 10).join(', ') || 'nothing';
  }
}

/** How long a real disk may take for what a test waits for when nothing else is left to happen, ms. */
const realPatienceMs = 1_000;

/** Whether it happens by itself: some adapters of a test are real. */
async function happens(isThere: () => boolean): Promise<boolean> {
  const endMs = performance.now() + realPatienceMs;
  while (!isThere() && performance.now() < endMs) await settled();
  return isThere();
}

/** Taken at load, so that a test that replaces the global does not stop the virtual clock. */
const nextTurn = setImmediate;

/**
 * Takes steps until one returns false; before the next one, every promise reaction that is ready has run. Rejects with what a step throws.
 * @param perPoll steps between two looks of the event loop at the system
 */
function inTurns(perPoll: number, step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    const turn = () => {
      try {
        if (over || step()) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      over = true;
    };
    const turns = () => {
      if (over) return;
      for (let n = 0; n < perPoll; n++) nextTurn(turn);
      nextTurn(turns);
    };
    turns();
  });
}

/** Resolves when every promise reaction that is ready has run: the event loop turns only when that queue is empty. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(() => resolve());
  });
}
