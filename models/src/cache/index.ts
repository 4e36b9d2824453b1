export { defaultCacheDirectory } from './default-directory.ts';
export { digestOfFile, explainDiskFull, FileCache, makeFolder, wrongDigest } from './file-cache.ts';
