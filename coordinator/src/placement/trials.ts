import type { Placement } from '../domain/index.ts';

/** In a whole fleet, one trial in this time, and half as often after each: what is tried is likely to be late, ms. */
const firstPauseMs = 5_000;
const longestPauseMs = 600_000;

/**
 * When a device may be tried that would be too slow by what it says of itself: measurements may be wrong, and of one that is never used nothing is
 * learned.
 */
export class Trials {
  #pauseMs = firstPauseMs;
  #fromMs: number | undefined;

  mayTry(nowMs: number): boolean {
    this.#fromMs ??= nowMs + this.#pauseMs;
    return nowMs >= this.#fromMs;
  }

  placed({ chosen }: Placement, nowMs: number): void {
    if (!chosen.trial) return;
    this.#fromMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }
}
