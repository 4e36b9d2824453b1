export { Fetcher } from './fetcher.ts';
export { NpmRegistry } from './npm-registry.ts';
export type { FetchOptions, FetchProgress } from './progress.ts';
export { SharedWork } from './shared-work.ts';
