export { catalogueAssets } from './assets.ts';
export { Catalogue, type CatalogueEntry } from './catalogue.ts';
export { type CreateModelStoreOptions, createModelStore } from './create-model-store.ts';
export { ModelStore } from './model-store.ts';
