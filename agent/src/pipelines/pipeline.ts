import type { InferenceParameters, LoadedModel, ModelOutput } from '@shoal/models';
import type { AnalysisResult } from '@shoal/protocol';

/** A named analysis. One small file each; what they need is handed in. */
export interface Pipeline {
  readonly name: string;
  /** The kind of model that it runs, `undefined` for none. */
  readonly task: 'detect' | 'classify' | undefined;
  /** @throws what the decoder and the engine throw, above all `input.corrupt`, `input.unsupported`, `engine.failed`, `aborted` */
  run(input: PipelineInput, signal: AbortSignal): Promise<PipelineOutput> | PipelineOutput;
}

export interface PipelineInput {
  /** The input as it came: an encoded picture; empty for a pipeline that takes none. */
  readonly bytes: Uint8Array;
  /** Only for a pipeline with a task. */
  readonly model: LoadedModel | undefined;
  readonly parameters: InferenceParameters;
  readonly runPicture: RunPicture;
}

export interface PipelineOutput {
  readonly result: AnalysisResult;
  readonly decodeMs: number;
  readonly inferenceMs: number;
}

/** Decodes an encoded picture into the model's input and runs the model on it: `runPicture` of the models workspace. */
export type RunPicture = (
  model: LoadedModel,
  picture: Uint8Array,
  parameters: InferenceParameters,
  signal: AbortSignal,
) => Promise<{
  readonly output: ModelOutput;
  readonly width: number;
  readonly height: number;
  readonly timings: { readonly decodeMs: number; readonly inferenceMs: number; readonly headMs: number };
}>;
