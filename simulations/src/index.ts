export * from './run/index.ts';
export * from './world/index.ts';
