import { type Clock, quantile } from '@shoal/protocol';
import type { LoadedModel } from '../engine/index.ts';
import type { ModelFrame } from '../stages/index.ts';

export interface ProfileOptions {
  /** Runs that are measured at most. */
  readonly runs: number;
  /** Time for all of them; what was measured when it is over is the profile. At least one run is made. */
  readonly budgetMs: number;
  /** Runs before the first that counts: the first ones page in the code and grow the arena. */
  readonly warmUpRuns: number;
}

const defaultProfileOptions: ProfileOptions = { runs: 30, budgetMs: 5_000, warmUpRuns: 2 };

/** What a device measured of one model variant on itself. */
export interface MeasuredProfile {
  readonly model: string;
  readonly variant: string;
  /** A frame of the model's size to its result, queue and threads included. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly minMs: number;
  /** The runtime alone. */
  readonly inferenceP50Ms: number;
  readonly loadMs: number;
  readonly samples: number;
  /** Half the width of the middle half of the samples, relative to the median: 0 for a quiet machine, near 1 for a noisy one. */
  readonly spread: number;
}

/** Measures the model on a frame of its own size, one run at a time. @throws what `LoadedModel.infer` throws */
export async function measureProfile(
  deps: { readonly clock: Clock },
  model: LoadedModel,
  options: Partial<ProfileOptions>,
  signal: AbortSignal,
): Promise<MeasuredProfile> {
  const { runs, budgetMs, warmUpRuns } = { ...defaultProfileOptions, ...options };
  const frame = testFrame(model);
  for (let i = 0; i < warmUpRuns; i++) await model.infer(frame, {}, signal);
  const wholeMs: number[] = [];
  const inferenceMs: number[] = [];
  const startedMs = deps.clock.monotonicMs();
  do {
    const beforeMs = deps.clock.monotonicMs();
    const inference = await model.infer(frame, {}, signal);
    wholeMs.push(deps.clock.monotonicMs() - beforeMs);
    inferenceMs.push(inference.inferenceMs);
  } while (wholeMs.length < runs && deps.clock.monotonicMs() - startedMs < budgetMs);
  const p50Ms = quantile(wholeMs, 0.5);
  return {
    model: model.manifest.name,
    variant: model.variant.name,
    p50Ms,
    p95Ms: quantile(wholeMs, 0.95),
    minMs: Math.min(...wholeMs),
    inferenceP50Ms: quantile(inferenceMs, 0.5),
    loadMs: model.loadMs,
    samples: wholeMs.length,
    spread: p50Ms > 0 ? (quantile(wholeMs, 0.75) - quantile(wholeMs, 0.25)) / (2 * p50Ms) : 0,
  };
}

/** A soft pattern: what the runtime computes does not depend on the picture, but a head has nothing to do on noise. */
function testFrame({ manifest }: LoadedModel): ModelFrame {
  const { width, height } = manifest.input;
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  for (let i = 0; i < pixels.length; i++) pixels[i] = 96 + ((i >> 6) & 63);
  const placement = { sourceWidth: width, sourceHeight: height, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  return { pixels, placement };
}
