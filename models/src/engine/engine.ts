import type { ModelManifest, ModelVariant } from '../manifest/index.ts';
import type { InferenceParameters, ModelFrame, ModelOutput } from '../stages/index.ts';

/**
 * An engine runs models. It is a port: `onnx` (onnxruntime-node in worker threads) is the first adapter; a simulated one with
 * the same behaviour and made-up durations stands for it in the world of `simulations/`.
 */
export interface Engine {
  readonly name: string;
  /**
   * What was probed and works on this machine. The first call probes, in a child process, so that a runtime that crashes on
   * this processor takes no agent with it; later calls have the answer at hand.
   * @throws `engine.unavailable` when the runtime does not work here, with its last words.
   */
  capabilities(signal: AbortSignal): Promise<EngineCapabilities>;
  /**
   * @throws `engine.unavailable` when nothing here can run the variant, `model.digest` when the file is not what it should be,
   * `model.manifest` when the file does not fit its manifest, `aborted`, `closed` after {@link dispose}.
   */
  load(model: LoadableModel, signal: AbortSignal): Promise<LoadedModel>;
  /** Runs and loads in hand fail with `closed`, and every thread ends. */
  dispose(): Promise<void>;
}

export interface EngineCapabilities {
  readonly runtime: string;
  readonly version: string;
  /** Execution providers that were probed and work, for example `['cpu']`. */
  readonly providers: readonly string[];
  readonly formats: readonly ModelVariant['format'][];
  /** Inferences that run at the same time, one per worker thread. */
  readonly concurrency: number;
}

export interface LoadableModel {
  readonly manifest: ModelManifest;
  readonly variant: ModelVariant;
  /** The verified file on this machine. */
  readonly path: string;
}

export interface LoadedModel {
  readonly manifest: ModelManifest;
  readonly variant: ModelVariant;
  readonly loadMs: number;
  /**
   * Runs the model on one prepared frame and decodes its head. Takes no copy of the frame's pixels across threads: they lie
   * in shared memory, and the caller must not change them until the promise settles.
   * @throws `engine.failed` when the runtime fails, `aborted` when the signal fires before the run has started, `queue.full`
   * when too many runs wait, `closed` after {@link release}, `input.invalid` when the frame is not of the model's size.
   */
  infer(frame: ModelFrame, parameters: InferenceParameters, signal: AbortSignal): Promise<Inference>;
  /** Unloads the model once the runs in hand are over. */
  release(): Promise<void>;
}

export interface Inference {
  readonly output: ModelOutput;
  /** Time the runtime itself took, ms. */
  readonly inferenceMs: number;
  /** Time to decode the head, ms. */
  readonly decodeMs: number;
}
