export type { VideoFrame, VideoRequest, VideoSource, VideoStream } from './video-source.ts';
