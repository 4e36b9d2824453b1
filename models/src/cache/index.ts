export { defaultCacheDirectory } from './default-directory.ts';
export { digestOfFile, explainDiskFull, FileCache, makeFolder } from './file-cache.ts';
