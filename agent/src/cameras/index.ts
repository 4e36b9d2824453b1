export { type CameraOptions, defaultCameraOptions } from './camera.ts';
export { Cameras, mostCameras } from './cameras.ts';
export type { EncodePicture, FramePart } from './live-picture.ts';
