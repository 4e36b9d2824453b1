export { createFfmpegSource } from './ffmpeg-source.ts';
export { type Ffmpeg, findFfmpeg } from './find-ffmpeg.ts';
