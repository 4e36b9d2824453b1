export { CameraBook, type CameraOptions } from './cameras.ts';
export { Reports } from './reports.ts';
