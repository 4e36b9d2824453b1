export * from './camera.ts';
export type * from './coordinator.ts';
export type * from './device.ts';
export * from './task.ts';
