import { catalogueManifests, type ModelManifest } from '@shoal/models/manifest';

/** Pixels of a frame's side: nobody looks at them, and to hash a frame of a real model costs more than all else that is done with it. */
const side = 16;

/** The catalogue as it is, but for the size of the pictures that its models take. */
export const simulatedModels: readonly ModelManifest[] = catalogueManifests.map((manifest) => ({
  ...manifest,
  input: { ...manifest.input, width: side, height: side },
}));
