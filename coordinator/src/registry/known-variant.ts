import type { VariantProfile } from '@shoal/protocol';
import { type Duration, type Figures, slowed } from '../placement/index.ts';
import { RunHistory } from './run-history.ts';

/** A model that ran within this time is taken to be still loaded, ms. */
const staysLoadedMs = 300_000;
const notLoaded = Number.NEGATIVE_INFINITY;

/** What is known of one variant on one device, ready for placement to read. */
export class KnownVariant implements Figures {
  run: Duration | undefined;
  energyJ: number | undefined;
  loadMs: number | undefined;
  loadedUntilMs = notLoaded;
  readonly #history = new RunHistory();
  #factor: number;
  #isLoaded = false;

  /** @param factor how much slower the device is right now than it usually is. */
  constructor(factor: number) {
    this.#factor = factor;
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

  /** What is to be expected before it has run often enough here. */
  expect(run: Duration | undefined, profile: VariantProfile | undefined): void {
    this.#history.expect(run);
    this.loadMs = profile?.loadMs;
    const millijoules = profile?.energyMj ?? undefined;
    this.energyJ = millijoules === undefined ? undefined : millijoules / 1_000;
    this.#setRun();
  }

  /** It ran, and is in memory therefore. */
  ran(ms: number, nowMs: number): void {
    this.#history.add(ms, nowMs);
    this.#setLoaded();
    this.#setRun();
  }

  relax(factor: number, nowMs: number): void {
    if (this.loadedUntilMs <= nowMs) this.loadedUntilMs = notLoaded;
    if (factor === this.#factor) return;
    this.#factor = factor;
    this.#setRun();
  }

  #setRun(): void {
    const { duration } = this.#history;
    this.run = duration && this.#factor !== 1 ? slowed(duration, this.#factor) : duration;
  }

  #setLoaded(): void {
    const { lastRunMs } = this.#history;
    if (this.#isLoaded) this.loadedUntilMs = Number.POSITIVE_INFINITY;
    else this.loadedUntilMs = lastRunMs === undefined ? notLoaded : lastRunMs + staysLoadedMs;
  }
}
