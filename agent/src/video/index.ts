export type { VideoFormat, VideoFrame, VideoRequest, VideoSource, VideoStream } from './video-source.ts';
