import type { ErrorCode } from '@shoal/protocol';
import type { FramePlacement, InferenceParameters } from '../../stages/index.ts';
import type { LoadableModel } from '../engine.ts';

/** What the engine asks of a worker. Each request is answered by one reply with its `id`, in order. */
export type WorkerRequest =
  | { readonly kind: 'load'; readonly id: number; readonly key: number; readonly model: LoadableModel }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly key: number;
      /** In shared memory. */
      readonly pixels: Uint8Array;
      readonly placement: FramePlacement;
      readonly parameters: InferenceParameters;
    }
  | { readonly kind: 'release'; readonly id: number; readonly key: number }
  /** No answer but the end of the thread. */
  | { readonly kind: 'stop'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly value: LoadReply | RunReply | null }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode; readonly message: string };

export interface LoadReply {
  readonly loadMs: number;
}

export interface RunReply {
  /** See `Head`. */
  readonly packed: Float32Array<ArrayBuffer>;
  readonly inferenceMs: number;
  readonly decodeMs: number;
}

export interface WorkerOptions {
  readonly threadsPerWorker: number;
  /** See `PreparedModel`. Left out: nothing is kept. */
  readonly preparedDirectory?: string;
  /** URL of the script that prepares a model in a process of its own, for tests. */
  readonly prepareEntry?: string;
  /** See `Gate`. */
  readonly gate: Int32Array;
}
