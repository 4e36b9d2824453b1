import { asShoalError, type Clock, type Logger, quantile, type VariantProfile } from '@shoal/protocol';
import type { ProfileStore } from '../store/index.ts';
import { confidenceOf } from './confidence.ts';

/** Real runs that a correction looks at: the last so many. */
const runsKept = 64;
/** Fewer say nothing yet. */
const leastRuns = 10;
/** A median that moved by less is noise. */
const noticeableChange = 0.15;
/** Corrections of one variant come at most this often, ms. */
const correctionEveryMs = 10_000;

interface Deps {
  readonly store: ProfileStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface RecentRuns {
  readonly inferenceMs: number[];
  correctedAtMs: number;
}

/** What this device knows of its own speed: what it measured, corrected by every real run. */
export class ProfileBook {
  readonly #deps: Deps;
  readonly #profiles = new Map<string, VariantProfile>();
  readonly #fingerprints = new Map<string, string>();
  readonly #recent = new Map<string, RecentRuns>();
  #onChange: (changed: readonly VariantProfile[]) => void = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
    for (const { profile, fingerprint } of deps.store.all()) {
      this.#profiles.set(keyOf(profile.model, profile.variant), profile);
      this.#fingerprints.set(keyOf(profile.model, profile.variant), fingerprint);
    }
  }

  get all(): readonly VariantProfile[] {
    return [...this.#profiles.values()];
  }

  /** One listener: who reports to the coordinator. */
  onChange(listener: (changed: readonly VariantProfile[]) => void): void {
    this.#onChange = listener;
  }

  find(model: string, variant: string): VariantProfile | undefined {
    return this.#profiles.get(keyOf(model, variant));
  }

  /** Whether the variant was measured as this file, with this software and hardware. */
  isFresh(model: string, variant: string, sha256: Uint8Array, fingerprint: string): boolean {
    const profile = this.find(model, variant);
    const same = profile && Buffer.from(profile.sha256).equals(sha256);
    return same === true && this.#fingerprints.get(keyOf(model, variant)) === fingerprint;
  }

  measuredBytes(sha256: string): number | undefined {
    const profile = this.all.find((one) => Buffer.from(one.sha256).toString('hex') === sha256);
    return profile && profile.memoryBytes > 0 ? profile.memoryBytes : undefined;
  }

  async keep(profile: VariantProfile, fingerprint: string): Promise<void> {
    const key = keyOf(profile.model, profile.variant);
    this.#profiles.set(key, profile);
    this.#fingerprints.set(key, fingerprint);
    this.#recent.delete(key);
    this.#onChange([profile]);
    try {
      await this.#deps.store.put({ profile, fingerprint });
    } catch (error) {
      this.#deps.logger.warn('a profile is not kept: it is measured again at the next start', {
        why: asShoalError(error).message,
      });
    }
  }

  /** A real run of a variant took this long. */
  observe(model: string, variant: string, inferenceMs: number): void {
    const key = keyOf(model, variant);
    const profile = this.#profiles.get(key);
    if (!profile) return;
    const recent = this.#recent.get(key) ?? { inferenceMs: [], correctedAtMs: Number.NEGATIVE_INFINITY };
    this.#recent.set(key, recent);
    recent.inferenceMs.push(inferenceMs);
    if (recent.inferenceMs.length > runsKept) recent.inferenceMs.shift();
    const nowMs = this.#deps.clock.monotonicMs();
    if (recent.inferenceMs.length < leastRuns || nowMs - recent.correctedAtMs < correctionEveryMs) return;
    recent.correctedAtMs = nowMs;
    this.#correct(key, profile, recent.inferenceMs);
  }

  #correct(key: string, profile: VariantProfile, runsMs: readonly number[]): void {
    const p50Ms = quantile(runsMs, 0.5);
    if (Math.abs(p50Ms - profile.p50Ms) <= noticeableChange * profile.p50Ms) return;
    const spread = p50Ms > 0 ? (quantile(runsMs, 0.75) - quantile(runsMs, 0.25)) / (2 * p50Ms) : 0;
    const corrected: VariantProfile = {
      ...profile,
      p50Ms,
      p95Ms: quantile(runsMs, 0.95),
      samples: runsMs.length,
      confidence: confidenceOf(runsMs.length, spread),
      measuredAtMs: this.#deps.clock.nowMs(),
    };
    this.#profiles.set(key, corrected);
    this.#onChange([corrected]);
  }
}

function keyOf(model: string, variant: string): string {
  return `${model}/${variant}`;
}
