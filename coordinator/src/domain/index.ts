export * from './camera.ts';
export type * from './coordinator.ts';
export type * from './device.ts';
export type * from './discovery.ts';
export * from './event.ts';
export * from './task.ts';
export * from './webhook.ts';
