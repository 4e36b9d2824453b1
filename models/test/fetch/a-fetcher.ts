import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, seededRandom, silentLogger } from '@shoal/protocol';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { FileCache } from '../../src/cache/index.ts';
import type { FetcherOptions } from '../../src/fetch/fetcher.ts';
import { Fetcher, NpmRegistry } from '../../src/fetch/index.ts';
import type { FileSource } from '../../src/manifest/index.ts';

/** Real time, but waits between retries and for locks are a hundred times shorter. */
const hurriedClock: Clock = {
  ...systemClock,
  after: (name, delayMs, callback) =>
    systemClock.after(name, /download|lock/.test(name) ? delayMs / 100 : delayMs, callback),
};

export async function aFetcher(
  options: FetcherOptions & { readonly directory?: string; readonly registryUrl?: string; readonly clock?: Clock } = {},
) {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'shoal-cache-')));
  const cache = new FileCache({ random: systemRandom }, { directory });
  const registry = new NpmRegistry(
    { fetch, clock: options.clock ?? hurriedClock },
    options.registryUrl === undefined ? {} : { url: options.registryUrl },
  );
  const deps = {
    cache,
    registry,
    clock: options.clock ?? hurriedClock,
    random: systemRandom,
    logger: silentLogger,
    fetch,
  };
  return { fetcher: new Fetcher(deps, options), cache, directory };
}

/** The same bytes for the same seed. */
export function someBytes(length: number, seed = 1): Uint8Array {
  return seededRandom(seed).bytes(length);
}

export function sourceOf(file: Uint8Array, url: string, more: Partial<FileSource> = {}): FileSource {
  return { url, sha256: createHash('sha256').update(file).digest('hex'), sizeBytes: file.length, ...more };
}

export const noAbort = { signal: new AbortController().signal };
