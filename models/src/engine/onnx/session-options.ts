import type { InferenceSession } from 'onnxruntime-node';

/** How every session is made, in the thread that runs a model and in the process that prepares one. */
export function sessionOptions(threads: number) {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // A spinning thread takes the core from the camera decoder and from the battery.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  } as const satisfies InferenceSession.SessionOptions;
}
