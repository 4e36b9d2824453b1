export { analysisOf, sceneResult } from './analysis.ts';
export type { Pipeline, PipelineInput, PipelineOutput, RunPicture } from './pipeline.ts';
export { findPipeline } from './pipelines.ts';
