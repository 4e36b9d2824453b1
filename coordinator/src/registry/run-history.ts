import { type Duration, fromQuantiles, slowed } from '../placement/index.ts';

/** Runs that are remembered of one variant. */
const remembered = 32;
/** From so many runs on, what was seen counts alone; before, along with what was said. */
const enough = 5;
/** A run may take this many times as long by chance, but no run is so many times as quick. */
const unbelievable = 10;

/** What one variant takes on one device: said at first, then seen. */
export class RunHistory {
  /** The newest runs, ms, in the order of a ring. */
  readonly #runsMs: number[] = [];
  #next = 0;
  #said: Duration | undefined;
  #made: Duration | undefined;
  /** Monotonic, ms; `undefined`: it never ran. */
  lastRunMs: number | undefined;

  /** What the device measured, or what others of its kind did. */
  expect(said: Duration | undefined): void {
    this.#said = said;
    this.#made = undefined;
  }

  get duration(): Duration | undefined {
    this.#made ??= this.#make();
    return this.#made;
  }

  add(ms: number, nowMs: number): void {
    this.#runsMs[this.#next] = ms;
    this.#next = (this.#next + 1) % remembered;
    this.lastRunMs = nowMs;
    this.#made = undefined;
  }

  #make(): Duration | undefined {
    const sorted = this.#runsMs.toSorted((a, b) => a - b);
    const [p50Ms, p95Ms] = [0.5, 0.95].map((share) => sorted[Math.floor(share * sorted.length)]);
    if (p50Ms === undefined || p95Ms === undefined) return this.#said;
    const seen = fromQuantiles(p50Ms, p95Ms);
    if (!this.#said || sorted.length >= enough) return seen;
    const factor = seen.meanMs / Math.max(0.001, this.#said.meanMs);
    if (factor < 1 / unbelievable) return seen;
    // In between on a scale of factors.
    return slowed(this.#said, factor ** (sorted.length / enough));
  }
}
