import type { Clock } from '../runtime/index.ts';

export interface VirtualClockOptions {
  /** Wall time at the start, ms since the Unix epoch. */
  readonly startMs?: number;
}

/** A wait that never ends is a defect of the test or of the code: more timers than this in one call to {@link VirtualClock.advance}. */
const mostTimersPerAdvance = 1_000_000;

interface Timer {
  readonly name: string;
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is told to move. Timers run in the order they fall due, those due at the same moment in
 * the order they were set; after each one, everything that its callback set free runs before the next.
 */
export class VirtualClock implements Clock {
  /** Latest first, so that the next timer is taken off the end. */
  readonly #timers: Timer[] = [];
  #wallMs: number;
  #elapsedMs = 0;
  #sequence = 0;
  #advancing = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallMs = options.startMs ?? Date.UTC(2026, 0, 1);
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
    const timer: Timer = { name, dueMs, sequence: this.#sequence++, callback };
    this.#timers.splice(this.#place(timer), 0, timer);
    return () => {
      const place = this.#place(timer);
      if (this.#timers[place] === timer) this.#timers.splice(place, 1);
    };
  }

  soon(name: string, callback: () => void): void {
    this.after(name, 0, callback);
  }

  /** Names of the timers that wait, the next one first. */
  pending(): string[] {
    return this.#timers.map((timer) => timer.name).toReversed();
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
      for (let ran = 0; await this.#runNext(endMs); ran++) {
        if (ran >= mostTimersPerAdvance) throw new Error(`timers without end: ${this.#waiting()}`);
      }
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
        if (await this.#runNext(endMs)) continue;
        if (this.#timers.length === 0 && (await happens(() => over || this.#timers.length > 0))) continue;
        throw new Error(`not settled within ${limitMs} ms; waiting: ${this.#waiting()}`);
      }
    });
    return promise;
  }

  async #runNext(endMs: number): Promise<boolean> {
    const next = this.#timers.at(-1);
    if (!next || next.dueMs > endMs) return false;
    this.#timers.pop();
    this.#elapsedMs = next.dueMs;
    next.callback();
    await settled();
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

  /** Where a timer stands or belongs: found by halving, as the timers are sorted. */
  #place(timer: Timer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      if (other && isLater(other, timer)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #waiting(): string {
    return this.pending().slice(0, 10).join(', ') || 'nothing';
  }
}

function isLater(one: Timer, other: Timer): boolean {
  return one.dueMs === other.dueMs ? one.sequence > other.sequence : one.dueMs > other.dueMs;
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

/** Resolves when every promise reaction that is ready has run: the event loop turns only when that queue is empty. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(() => resolve());
  });
}
