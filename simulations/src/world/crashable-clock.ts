import type { Clock } from '@shoal/protocol';

/** What the clock on the wall of one machine is off by, ms. It stays wrong when a process there starts again. */
export interface WallClock {
  offsetMs: number;
}

/** The clock of one simulated process. From its crash on, nothing that it had set or sets is called any more, until it is buried. */
export class CrashableClock implements Clock {
  readonly #clock: Clock;
  readonly #wall: WallClock;
  #crashed = false;
  /** Of what was set before the last crash nothing is called. */
  #crashes = 0;

  constructor(clock: Clock, wall: WallClock) {
    this.#clock = clock;
    this.#wall = wall;
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#wall.offsetMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  after(name: string, delayMs: number, callback: () => void): () => void {
    if (this.#crashed) return () => {};
    const crashes = this.#crashes;
    return this.#clock.after(name, delayMs, () => {
      if (crashes === this.#crashes) callback();
    });
  }

  soon(name: string, callback: () => void): void {
    this.after(name, 0, callback);
  }

  crash(): void {
    this.#crashed = true;
    this.#crashes += 1;
  }

  /** What is set from now on is called again, so that what is left of the process can come to an end. */
  bury(): void {
    this.#crashed = false;
  }
}
