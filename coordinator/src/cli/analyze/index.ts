export { analyze } from './analyze.ts';
export type { AnalyzeOptions } from './options.ts';
export { findFfmpeg } from './video-frames.ts';
