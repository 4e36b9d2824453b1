export type * from './blob-store.ts';
export { BlobKeeper, type BlobOptions } from './blobs.ts';
export { MemoryBlobStore } from './memory/index.ts';
export { blobServer, type ServeBlob } from './serve-blob.ts';
