import { ShoalError } from '@shoal/protocol';
import { analysisOf } from './analysis.ts';
import type { Pipeline } from './pipeline.ts';

/** decode -> letterbox -> infer -> head, for one picture: all that differs is the kind of model. */
export function picturePipeline(name: string, task: 'detect' | 'classify'): Pipeline {
  return {
    name,
    task,
    async run({ bytes, model, parameters, runPicture }, signal) {
      if (!model) throw new ShoalError('input.invalid', `${name} needs a model`, { field: 'model' });
      if (model.manifest.task !== task) {
        throw new ShoalError(
          'input.invalid',
          `${model.manifest.name} is a model to ${model.manifest.task}, not to ${task}`,
          {
            field: 'model',
          },
        );
      }
      const { output, width, height, timings } = await runPicture(model, bytes, parameters, signal);
      return {
        result: analysisOf(output, { pipeline: name, picture: { width, height } }),
        decodeMs: timings.decodeMs,
        inferenceMs: timings.inferenceMs + timings.headMs,
      };
    },
  };
}
