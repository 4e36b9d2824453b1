import { ShoalError } from '@shoal/protocol';
import type { Pipeline } from './pipeline.ts';

/** What goes on before a camera, over time. A single picture has none of that. */
export const watch: Pipeline = {
  name: 'watch',
  task: 'detect',
  run() {
    throw new ShoalError('input.invalid', 'watch is for cameras; for a single picture there is detect', {
      field: 'pipeline',
    });
  },
};
