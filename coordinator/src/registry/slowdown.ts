/** How much the newest result weighs: of a lasting change, ten results take in 97 %. */
const newestWeight = 0.3;
/** Without results, half of it is forgotten after this time, ms: a device that is avoided is tried again. */
const halfLifeMs = 30_000;
/** Differences below this factor are noise. */
const noise = 1.1;

/** How much slower a device is right now than it usually is: throttled, or busy with something that nobody told. Noticed from its results. */
export class Slowdown {
  #log = 0;
  #lastMs = 0;

  /** A run took `tookMs` that usually takes `usualMs`. */
  observe(tookMs: number, usualMs: number, nowMs: number): void {
    if (tookMs <= 0 || usualMs <= 0) return;
    this.#fade(nowMs);
    this.#log += newestWeight * (Math.log(tookMs / usualMs) - this.#log);
  }

  /** 1: as usual; 2: everything takes twice as long. */
  factor(nowMs: number): number {
    this.#fade(nowMs);
    const factor = Math.exp(this.#log);
    return factor < noise && factor > 1 / noise ? 1 : factor;
  }

  #fade(nowMs: number): void {
    this.#log *= 0.5 ** (Math.max(0, nowMs - this.#lastMs) / halfLifeMs);
    this.#lastMs = nowMs;
  }
}
