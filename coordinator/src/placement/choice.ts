import type { ModelVariant } from '@shoal/models/manifest';
import type { Duration } from './duration.ts';

/** One file of one model that may be run for the work. */
export interface Choice {
  /** Names the file on every device: `model/variant`. */
  readonly key: string;
  readonly model: string;
  readonly variant: ModelVariant;
  /** 0..1; what it is worth to run this rather than another. */
  readonly accuracy: number;
}

/** What a device calls a variant by. */
export function variantKey(model: string, variant: string): string {
  return `${model}/${variant}`;
}

/** @param accuracy 0..1 */
export function aChoice(model: string, variant: ModelVariant, accuracy: number): Choice {
  return { key: variantKey(model, variant.name), model, variant, accuracy };
}

/** What one variant takes on one device: measured there, and corrected by what its work took. */
export interface Figures {
  /** Of one inference; `undefined`: never measured. */
  readonly run: Duration | undefined;
  /** The time was said, and no run has shown it yet. */
  readonly unproven?: boolean;
  /** What one inference draws above idling, joules; `undefined`: neither measured nor known of its kind. */
  readonly energyJ: number | undefined;
  /** What loading takes before the first run, ms; `undefined`: never measured. */
  readonly loadMs: number | undefined;
  /** Memory that it takes while it is loaded; `undefined`: never measured. */
  readonly memoryBytes?: number | undefined;
  /** Until then (monotonic ms) it is taken to be in memory. */
  readonly loadedUntilMs: number;
  /** When work that is with the device will have loaded it, monotonic ms; `undefined`: nothing loads it. */
  readonly loadingUntilMs?: number | undefined;
}
