export { type ModelSharing, type ModelSharingOptions, shareModels } from './share-models.ts';
