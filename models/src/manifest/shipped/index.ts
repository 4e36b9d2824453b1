import type { ModelManifest } from '../manifest.ts';
import { efficientDetLiteManifests } from './efficientdet-lite.ts';
import { efficientNetLiteManifest } from './efficientnet-lite.ts';

/** The manifests that come with Shoal. Plain data: nothing here loads an engine or touches a file. */
export const catalogueManifests: readonly ModelManifest[] = [...efficientDetLiteManifests, efficientNetLiteManifest];
