export { blockFilesIn } from './block-files.ts';
export { defaultCacheDirectory } from './default-directory.ts';
export { digestOfFile, explainDiskFull, FileCache, makeFolder, wrongDigest } from './file-cache.ts';
