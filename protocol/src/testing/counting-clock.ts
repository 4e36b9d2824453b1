import type { Clock } from '../runtime/index.ts';

/** Another clock that knows which of its timers still wait: what a test asks when everything should be over. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #waiting = new Set<{ readonly name: string }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  after(name: string, delayMs: number, callback: () => void): () => void {
    const timer = { name };
    this.#waiting.add(timer);
    const cancel = this.#clock.after(name, delayMs, () => {
      this.#waiting.delete(timer);
      callback();
    });
    return () => {
      this.#waiting.delete(timer);
      cancel();
    };
  }

  soon(name: string, callback: () => void): void {
    this.#clock.soon(name, callback);
  }

  /** Names of the timers that wait. */
  pending(): string[] {
    return [...this.#waiting].map(({ name }) => name);
  }
}
