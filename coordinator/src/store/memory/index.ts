export { MemoryDisk } from './memory-disk.ts';
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
