export { parametersJson } from './parameters.ts';
export {
  indexModels,
  type ModelIndex,
  type Pipeline,
  type PipelineRequest,
  pipelines,
  type ResolvedPipeline,
  resolvePipeline,
} from './pipelines.ts';
