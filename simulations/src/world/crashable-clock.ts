import type { Clock } from '@shoal/protocol';

/** The clock on the wall of one machine, which may be wrong. It stays so when a process there starts again. */
export class WallClock {
  /** What it is off by, ms. */
  offsetMs = 0;
  #driftPerMs = 0;
  #sinceMs = 0;

  /** From now on it goes so much too fast (or, below 0, too slow): 0.01 is a minute in a hundred. */
  drift(share: number, nowMs: number): void {
    this.offsetMs = this.#offMs(nowMs);
    this.#driftPerMs = share;
    this.#sinceMs = nowMs;
  }

  /** What it shows, ms since the Unix epoch. */
  read(clock: Clock): number {
    return Math.trunc(clock.nowMs() + this.#offMs(clock.monotonicMs()));
  }

  #offMs(nowMs: number): number {
    return this.offsetMs + this.#driftPerMs * (nowMs - this.#sinceMs);
  }
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
    return this.#wall.read(this.#clock);
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
