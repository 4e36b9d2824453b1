export { type PictureReader, PushedVideos } from './pushed-videos.ts';
export type { VideoFormat, VideoFrame, VideoRequest, VideoSource, VideoStream } from './video-source.ts';
