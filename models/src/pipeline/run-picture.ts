import type { Clock } from '@shoal/protocol';
import type { FramePool, PictureDecoder, RgbPicture } from '../decode/index.ts';
import type { LoadedModel } from '../engine/index.ts';
import type { InferenceParameters, ModelFrame, ModelOutput } from '../stages/index.ts';

export interface PipelineDeps {
  readonly clock: Clock;
  readonly decoder: PictureDecoder;
  /** The pool that the decoder takes its frames from. */
  readonly frames: FramePool;
}

export interface PipelineResult {
  readonly output: ModelOutput;
  /** Size of the source picture as a person sees it, pixels. */
  readonly width: number;
  readonly height: number;
  readonly timings: PipelineTimings;
}

/** Milliseconds. */
export interface PipelineTimings {
  /** Bytes to a frame of the model's size. 0 for a frame that came ready. */
  readonly decodeMs: number;
  /** Until a worker was free, and the way there and back. */
  readonly waitMs: number;
  readonly inferenceMs: number;
  /** Outputs to detections or classes. */
  readonly headMs: number;
  readonly totalMs: number;
}

/**
 * decode -> infer -> head, for one picture: encoded bytes, or RGB pixels of any size.
 * @throws what `PictureDecoder` and `LoadedModel.infer` throw
 */
export async function runPicture(
  deps: PipelineDeps,
  model: LoadedModel,
  picture: Uint8Array | RgbPicture,
  parameters: InferenceParameters,
  signal: AbortSignal,
): Promise<PipelineResult> {
  const { clock, decoder, frames } = deps;
  const startedMs = clock.monotonicMs();
  const { input } = model.manifest;
  const frame = await ('pixels' in picture
    ? decoder.scale(picture, input, signal)
    : decoder.decode(picture, input, signal));
  const decodeMs = clock.monotonicMs() - startedMs;
  try {
    return await run(clock, model, frame, parameters, signal, decodeMs);
  } finally {
    frames.give(frame);
  }
}

/** infer -> head, for a frame that has the model's size already, as a video decoder delivers it. The frame stays the caller's. */
export function runFrame(
  deps: Pick<PipelineDeps, 'clock'>,
  model: LoadedModel,
  frame: ModelFrame,
  parameters: InferenceParameters,
  signal: AbortSignal,
): Promise<PipelineResult> {
  return run(deps.clock, model, frame, parameters, signal, 0);
}

async function run(
  clock: Clock,
  model: LoadedModel,
  frame: ModelFrame,
  parameters: InferenceParameters,
  signal: AbortSignal,
  decodeMs: number,
): Promise<PipelineResult> {
  const startedMs = clock.monotonicMs();
  const { output, inferenceMs, decodeMs: headMs } = await model.infer(frame, parameters, signal);
  const elapsedMs = clock.monotonicMs() - startedMs;
  const waitMs = Math.max(0, elapsedMs - inferenceMs - headMs);
  return {
    output,
    width: frame.placement.sourceWidth,
    height: frame.placement.sourceHeight,
    timings: { decodeMs, waitMs, inferenceMs, headMs, totalMs: decodeMs + elapsedMs },
  };
}
