import type { ShoalError, TaskAssignment } from '@shoal/protocol';
import type { Pipeline } from '../pipelines/index.ts';

/** One try of one task here, from its admission to its outcome. */
export interface Attempt {
  readonly assignment: TaskAssignment;
  readonly pipeline: Pipeline;
  /** The input, when it came with the assignment. */
  readonly attached: Uint8Array | undefined;
  readonly admittedMs: number;
  readonly abort: AbortController;
  cancelDeadline: () => void;
}

/** Milliseconds, as they are reported. */
export interface Timings {
  queuedMs: number;
  transferMs: number;
  loadMs: number;
  decodeMs: number;
  inferenceMs: number;
}

/** Why an attempt was ended from outside; `undefined` when it was not. */
export function endedBy({ abort }: Attempt): ShoalError | undefined {
  return abort.signal.aborted ? (abort.signal.reason as ShoalError) : undefined;
}
