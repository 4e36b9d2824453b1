// An agent imports this at its start: nothing here may load a runtime, a picture library or a model format (about 10 MB).
export { blockFilesIn, defaultCacheDirectory } from './cache/index.ts';
export {
  Catalogue,
  type CatalogueEntry,
  type CreateModelStoreOptions,
  createModelStore,
  type ModelStore,
} from './catalogue/index.ts';
export * from './decode/index.ts';
export * from './engine/index.ts';
export { type MeasuredProfile, measureProfile, type ProfileOptions } from './evaluate/index.ts';
export { type FetchOptions, type FetchProgress, PeerFetcher } from './fetch/index.ts';
export * from './manifest/index.ts';
export * from './pipeline/index.ts';
export {
  type Box,
  type ClassScore,
  type Detection,
  type FramePlacement,
  fitPicture,
  type InferenceParameters,
  type ModelFrame,
  type ModelOutput,
} from './stages/index.ts';
