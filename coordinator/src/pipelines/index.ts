export {
  indexModels,
  type ModelIndex,
  type Pipeline,
  pipelines,
  type ResolvedPipeline,
  resolvePipeline,
} from './pipelines.ts';
