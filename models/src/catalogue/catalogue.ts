import { ShoalError } from '@shoal/protocol';
import { catalogueManifests, type ModelManifest, type ModelVariant } from '../manifest/index.ts';
import { nearNames } from './near-names.ts';

/** One file of one model. */
export interface CatalogueEntry {
  readonly manifest: ModelManifest;
  readonly variant: ModelVariant;
}

/** The models that are known by name: those that come with Shoal, and a user's own. */
export class Catalogue {
  readonly #manifests: ReadonlyMap<string, ModelManifest>;

  /** A later manifest takes the place of an earlier one of the same name. */
  constructor(manifests: readonly ModelManifest[] = catalogueManifests) {
    this.#manifests = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  }

  list(): readonly ModelManifest[] {
    return [...this.#manifests.values()];
  }

  entries(): readonly CatalogueEntry[] {
    return this.list().flatMap((manifest) => manifest.variants.map((variant) => ({ manifest, variant })));
  }

  /**
   * @param variantName Left out: the first variant of the manifest, which is the one to prefer.
   * @throws `model.unknown`, with the names that may have been meant.
   */
  find(name: string, variantName?: string): CatalogueEntry {
    const manifest = this.#manifests.get(name);
    if (!manifest) throw unknownName('model', name, [...this.#manifests.keys()]);
    const variant =
      variantName === undefined ? manifest.variants[0] : manifest.variants.find((one) => one.name === variantName);
    if (variant) return { manifest, variant };
    const names = manifest.variants.map((one) => one.name);
    throw unknownName(`variant of ${name}`, variantName ?? '', names);
  }
}

export function unknownName(what: string, name: string, names: readonly string[]): ShoalError {
  const near = nearNames(name, names);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${names.join(', ')}`;
  return new ShoalError('model.unknown', `no ${what} is called ${name.slice(0, 64)}; ${hint}`, {
    name: name.slice(0, 64),
    near,
  });
}
