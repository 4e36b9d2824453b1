export { type PipelineDeps, type PipelineResult, type PipelineTimings, runFrame, runPicture } from './run-picture.ts';
