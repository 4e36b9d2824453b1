export { askingPeersFirst, type ModelFile, type ModelPeers } from './asking-peers-first.ts';
export { LoadedModels, type LoadedModelsOptions, type ModelLease } from './loaded-models.ts';
export type { HeldVariant, ModelShelf } from './model-shelf.ts';
