import type { Pipeline } from './pipeline.ts';

/** Analyses nothing, so that everything around an analysis can be measured. */
export const noop: Pipeline = {
  name: 'noop',
  task: undefined,
  run: () => ({ result: { schema: 1, pipeline: 'noop', kind: 'empty' }, decodeMs: 0, inferenceMs: 0 }),
};
