export { type KeyCheck, keyCheck, newLocalKey } from './api-keys.ts';
export { createFetchInput, type FetchInputOptions } from './real/fetch-input.ts';
export type { FetchedInput, FetchInput, HttpDeps, HttpOptions } from './resource.ts';
export { createHttpServer, type HttpServer } from './server.ts';
export type { Camera, Device, Problem, Result, Task, TaskPlacement } from './views/index.ts';
