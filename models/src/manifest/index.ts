export type * from './manifest.ts';
export { parseManifest } from './parse-manifest.ts';
export { catalogueManifests } from './shipped/index.ts';
