export { grantNow } from './assignment.ts';
export { CameraBinder } from './camera-binder.ts';
export type { CameraLine } from './camera-line.ts';
export { CameraBook, type CameraOptions } from './cameras.ts';
export { LiveCamera } from './live-camera.ts';
export { Reports } from './reports.ts';
