import type { Clock } from '@shoal/protocol';
import type { HeldVariant, LoadedModels } from '../loaded-models/index.ts';
import type { Machine } from '../machine/index.ts';

export interface MeasureOptions {
  /** Runs that are measured at most, and the time for all of them, ms. */
  readonly runs: number;
  readonly budgetMs: number;
}

/** What was measured of one variant. Durations in ms. */
export interface Measured {
  readonly engine: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly loadMs: number;
  readonly samples: number;
  /** Half the width of the middle half of the samples, relative to the median. */
  readonly spread: number;
  /** What the process grew by. */
  readonly memoryBytes: number;
  /** Per run; `null` where nothing measures it. */
  readonly energyMj: number | null;
}

/** Loads a variant, runs it some times and unloads it. @throws what loading and running throw */
export type MeasureVariant = (held: HeldVariant, options: MeasureOptions, signal: AbortSignal) => Promise<Measured>;

interface Deps {
  readonly models: LoadedModels;
  readonly machine: Machine;
  readonly clock: Clock;
}

/** Runs before the first that counts. */
const warmUpRuns = 2;

/** Measures in this very process. */
export function measureHere({ models, machine, clock }: Deps): MeasureVariant {
  return async ({ manifest, variant }, options, signal) => {
    const { measureProfile } = await import('@shoal/models');
    const beforeBytes = (await machine.residentBytes()) ?? 0;
    const wasLoaded = models.loaded.includes(`${manifest.name}/${variant.name}`);
    const lease = await models.acquire(manifest.name, variant.name, signal);
    try {
      const energy = await machine.measureEnergy(signal);
      const measured = await measureProfile({ clock }, lease.model, { ...options, warmUpRuns }, signal);
      const energyMj = await energy();
      const grownBytes = ((await machine.residentBytes()) ?? 0) - beforeBytes;
      const { p50Ms, p95Ms, loadMs, samples, spread } = measured;
      return {
        engine: lease.engine,
        p50Ms,
        p95Ms,
        loadMs,
        samples,
        spread,
        // Memory that was free in the process before and is used again does not show: at least the weights are there.
        memoryBytes: Math.max(variant.sizeBytes, grownBytes),
        energyMj: energyMj === undefined ? null : energyMj / (samples + warmUpRuns),
      };
    } finally {
      lease.release();
      // Every held model at once would be more memory than the work ever needs.
      if (!wasLoaded) await models.unloadUnused(manifest.name, variant.name);
    }
  };
}
