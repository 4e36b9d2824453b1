/** Pauses between pictures that are remembered. */
const pausesKept = 16;
/** A pause so many times as long as the longest of those is no pause any more. */
const longestTimes = 10;

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

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** A picture came, monotonic ms. */
  picture(atMs: number): void {
    if (this.#lastMs !== undefined) this.#pauses.push(atMs - this.#lastMs);
    this.#lastMs = atMs;
    if (this.#pauses.length > pausesKept) this.#pauses.shift();
  }

  get waitMs(): number {
    const { noPictureMs, leastMs } = this.#options;
    if (this.#pauses.length === 0) return noPictureMs;
    return Math.min(noPictureMs, Math.max(leastMs, longestTimes * Math.max(...this.#pauses)));
  }
}
