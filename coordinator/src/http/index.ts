export { type KeyCheck, keyCheck, newLocalKey } from './api-keys.ts';
export type { Page, PageFile } from './page.ts';
export { createFetchInput, type FetchInputOptions } from './real/fetch-input.ts';
export { readPage } from './real/read-page.ts';
export type { FetchedInput, FetchInput, HttpDeps, HttpOptions } from './resource.ts';
export { createHttpServer, type HttpServer } from './server.ts';
export type { Camera, Device, FoundCamera, Problem, Result, Task, TaskPlacement, Webhook } from './views/index.ts';
