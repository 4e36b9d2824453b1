import type { VariantProfile } from '@shoal/protocol';
import { type Duration, type Figures, slowed } from '../placement/index.ts';
import { RunHistory } from './run-history.ts';

/** A model that ran within this time is taken to be still loaded, ms; known to within a part of it. */
const staysLoadedMs = 300_000;
const loadedNewsMs = 30_000;
/** A run that takes so much less or more than was thought is news: a factor's logarithm; of the spread, the same. */
const runNews = Math.log(1.01);
const spreadNews = Math.log(1.1);
const notLoaded = Number.NEGATIVE_INFINITY;

/** What is known of one variant on one device, ready for placement to read. */
export class KnownVariant implements Figures {
  run: Duration | undefined;
  energyJ: number | undefined;
  loadMs: number | undefined;
  memoryBytes: number | undefined;
  loadedUntilMs = notLoaded;
  loadingUntilMs: number | undefined;
  readonly #history = new RunHistory();
  #factor: number;
  #isLoaded = false;
  /** Pieces of work with the device that load it first. */
  #loaders = 0;

  /** @param factor how much slower the device is right now than it usually is. */
  constructor(factor: number) {
    this.#factor = factor;
  }

  get unproven(): boolean {
    return this.#history.lastRunMs === undefined;
  }

  /** What a run takes when nothing slows the device down, ms. */
  get usualMs(): number | undefined {
    return this.#history.duration?.meanMs;
  }

  /** Whether the device says that it is in memory. */
  set isLoaded(isLoaded: boolean) {
    this.#isLoaded = isLoaded;
    this.#setLoaded();
  }

  /** Work is with the device that will have loaded it by then. */
  beginLoad(untilMs: number): void {
    this.#loaders += 1;
    this.loadingUntilMs = Math.min(untilMs, this.loadingUntilMs ?? untilMs);
  }

  /** That work is not with it any more: unless it was run, nothing is taken to be in memory by that. */
  endLoad(): void {
    this.#loaders -= 1;
    if (this.#loaders === 0) this.loadingUntilMs = undefined;
  }

  /** What is to be expected before it has run often enough here. */
  expect(run: Duration | undefined, profile: VariantProfile | undefined): void {
    this.#history.expect(run);
    this.loadMs = profile?.loadMs;
    this.memoryBytes = profile?.memoryBytes || undefined;
    const millijoules = profile?.energyMj ?? undefined;
    this.energyJ = millijoules === undefined ? undefined : millijoules / 1_000;
    this.#setRun();
  }

  /** It ran, and is in memory therefore. @returns whether that is news: whoever reckons with it should look again. */
  ran(ms: number, nowMs: number): boolean {
    const isFirst = this.unproven;
    this.#history.add(ms, nowMs);
    const before = this.loadedUntilMs;
    this.#setLoaded();
    const isLoadNews = this.loadedUntilMs - before > loadedNewsMs;
    if (!isLoadNews) this.loadedUntilMs = before;
    return this.#setRun() || isLoadNews || isFirst;
  }

  /** @returns whether anything became different. */
  relax(factor: number, nowMs: number): boolean {
    const isForgotten = this.loadedUntilMs <= nowMs && this.loadedUntilMs !== notLoaded;
    if (isForgotten) this.loadedUntilMs = notLoaded;
    if (factor === this.#factor) return isForgotten;
    this.#factor = factor;
    return this.#setRun() || isForgotten;
  }

  #setRun(): boolean {
    const { duration } = this.#history;
    const run = duration && this.#factor !== 1 ? slowed(duration, this.#factor) : duration;
    if (run === this.run || (run && this.run && isAlike(run, this.run))) return false;
    this.run = run;
    return true;
  }

  #setLoaded(): void {
    const { lastRunMs } = this.#history;
    if (this.#isLoaded) this.loadedUntilMs = Number.POSITIVE_INFINITY;
    else this.loadedUntilMs = lastRunMs === undefined ? notLoaded : lastRunMs + staysLoadedMs;
  }
}

function isAlike(a: Duration, b: Duration): boolean {
  if (Math.abs(Math.log(a.meanMs / b.meanMs)) > runNews) return false;
  return a.varianceMs2 === b.varianceMs2 || Math.abs(Math.log(a.varianceMs2 / b.varianceMs2)) < 2 * spreadNews;
}
