import type { PlacementCandidate } from '../domain/index.ts';
import { type Duration, exactly, variantKey } from '../placement/index.ts';

/** What an attempt is expected to take of a device while it is there. */
export interface Share {
  readonly time: Duration;
  readonly energyJ: number;
  /** The variant that has to be loaded for it, by its key, and when it will be; monotonic ms. */
  readonly loads?: { readonly key: string; readonly untilMs: number };
}

/** @param nowMs monotonic */
export function shareOf(
  { model, variant, queueMs, loadMs, inferenceMs, energyJ }: PlacementCandidate,
  nowMs: number,
): Share {
  const time = exactly(loadMs + inferenceMs);
  if (loadMs === 0 || model === undefined || variant === undefined) return { time, energyJ };
  const untilMs = nowMs + queueMs + loadMs;
  return { time, energyJ, loads: { key: variantKey(model, variant), untilMs } };
}
