export { knownManifests } from './known-manifests.ts';
export { manifestDirectory } from './manifest-directory.ts';
