import type { Clock, Logger, Random } from '@shoal/protocol';
import { FileCache } from '../cache/index.ts';
import { Fetcher, NpmRegistry } from '../fetch/index.ts';
import { importInThread } from '../import-tflite/index.ts';
import { Catalogue } from './catalogue.ts';
import { ModelStore } from './model-store.ts';

export interface CreateModelStoreOptions {
  /** See `defaultCacheDirectory`. */
  readonly cacheDirectory: string;
  /** Address of the npm registry; left out: the one npm is configured with. */
  readonly registryUrl?: string;
  /** Left out: the catalogue that comes with Shoal. */
  readonly catalogue?: Catalogue;
}

/** A model store on this machine's disk and network. */
export function createModelStore(
  deps: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  options: CreateModelStoreOptions,
): ModelStore {
  const { fetch } = globalThis;
  const cache = new FileCache(deps, { directory: options.cacheDirectory });
  const registry = new NpmRegistry(
    { ...deps, fetch },
    options.registryUrl === undefined ? {} : { url: options.registryUrl },
  );
  const fetcher = new Fetcher({ ...deps, cache, registry, fetch });
  const catalogue = options.catalogue ?? new Catalogue();
  return new ModelStore({ catalogue, cache, fetcher, importTflite: importInThread, logger: deps.logger });
}
