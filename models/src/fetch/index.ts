export { Fetcher } from './fetcher.ts';
export { NpmRegistry } from './npm-registry.ts';
export { PeerFetcher } from './peer-fetcher.ts';
export type { FetchOptions, FetchProgress } from './progress.ts';
export { SharedWork } from './shared-work.ts';
