export { assumedMemoryBytes } from './assumed-memory.ts';
export type * from './manifest.ts';
export { objectCounts } from './manifest.ts';
export { parseManifest } from './parse-manifest.ts';
export { knownManifests, manifestDirectory } from './real/index.ts';
export { catalogueManifests } from './shipped/index.ts';
