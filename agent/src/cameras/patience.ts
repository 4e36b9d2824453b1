/** Pauses between pictures that are remembered. */
const pausesKept = 16;
/** A pause so many times as long as the longest of those is no pause any more. */
const longestTimes = 10;
/** And so many times in any case. */
const slowTimes = 3;

export interface PatienceOptions {
  /** How long the first picture may take, and every other one at most, ms. */
  readonly noPictureMs: number;
  /** So long is waited in any case, ms. */
  readonly leastMs: number;
}

/** How long to wait for the next picture of a source before it is taken for dead: as its own pace says. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #pauses: number[] = [];
  #lastMs: number | undefined;

  readonly #slowestMs: number;

  /** `targetFps`: what is asked of the source; 0 for all. */
  constructor(options: PatienceOptions, targetFps: number) {
    this.#options = options;
    this.#slowestMs = targetFps > 0 ? slowTimes * (1_000 / targetFps) : 0;
  }

  /** A picture came, monotonic ms. */
  picture(atMs: number): void {
    if (this.#lastMs !== undefined) this.#pauses.push(atMs - this.#lastMs);
    this.#lastMs = atMs;
    if (this.#pauses.length > pausesKept) this.#pauses.shift();
  }

  get waitMs(): number {
    const { noPictureMs, leastMs } = this.#options;
    const longest = Math.max(0, ...this.#pauses);
    // A source that is slow by nature, or is asked for little, is not dead.
    const most = Math.max(noPictureMs, this.#slowestMs, slowTimes * longest);
    return longest === 0 ? most : Math.min(most, Math.max(leastMs, this.#slowestMs, longestTimes * longest));
  }
}
