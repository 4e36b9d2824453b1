import type { Random } from '@shoal/protocol';
import { type DeviceClass, type ModelName, modelFactors } from '../fleet/index.ts';

/** How much one run varies from the next: the standard deviation of its logarithm. */
const spread = 0.12;

/** What runs vary by: the 95th percentile over the median, and the mean over it. */
export const p95OverP50 = Math.exp(1.6449 * spread);
export const meanOverP50 = Math.exp(spread ** 2 / 2);

/** The median of a run on a device of this class, ms. */
export function usualMs(kind: DeviceClass, model: ModelName, variant: 'int8' | 'float32'): number {
  return kind.lite0Ms * modelFactors[model] * (variant === 'float32' ? (kind.floatFactor ?? 1) : 1);
}

/** One run over the median. */
export function variation(random: Random): number {
  return Math.exp(spread * normal(random));
}

/** A standard normal variate (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
