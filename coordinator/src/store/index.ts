export { MemoryDisk, MemoryStore, type MemoryStoreOptions } from './memory/index.ts';
export type * from './store.ts';
