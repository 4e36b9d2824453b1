import { asShoalError, quantile, ShoalError } from '@shoal/protocol';
import type { LoadedModel } from '../engine/index.ts';
import { type PipelineDeps, type PipelineResult, runPicture } from '../pipeline/index.ts';
import type { InferenceParameters } from '../stages/index.ts';

export interface EvaluationDeps extends PipelineDeps {
  readonly onProgress?: (done: number) => void;
}

export interface EvaluationPicture {
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** Picture bytes to result, one at a time, ms. */
export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/**
 * Runs the model over the pictures, one after the other, and gives each result to `take`.
 * @throws what `runPicture` throws, naming the picture
 */
export async function runOver<Picture extends EvaluationPicture>(
  deps: EvaluationDeps,
  model: LoadedModel,
  pictures: readonly Picture[],
  parameters: InferenceParameters,
  signal: AbortSignal,
  take: (picture: Picture, result: PipelineResult) => void,
): Promise<Latency> {
  const run = async (picture: Picture) => {
    const bytes = await picture.read();
    return runPicture(deps, model, bytes, parameters, signal).catch((thrown: unknown) => {
      const { code, message, facts } = asShoalError(thrown);
      throw new ShoalError(code, `${picture.name}: ${message}`, facts, { cause: thrown });
    });
  };
  const [first] = pictures;
  // The first picture loads the picture library and grows the runtime's arena: that is not the latency of a picture.
  if (first) await run(first);
  const latenciesMs: number[] = [];
  for (const picture of pictures) {
    const result = await run(picture);
    take(picture, result);
    latenciesMs.push(result.timings.totalMs);
    deps.onProgress?.(latenciesMs.length);
  }
  return { p50Ms: quantile(latenciesMs, 0.5), p95Ms: quantile(latenciesMs, 0.95) };
}
