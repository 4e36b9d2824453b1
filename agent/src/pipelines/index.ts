export { analysisOf } from './analysis.ts';
export type { Pipeline, PipelineInput, PipelineOutput, RunPicture } from './pipeline.ts';
export { findPipeline } from './pipelines.ts';
