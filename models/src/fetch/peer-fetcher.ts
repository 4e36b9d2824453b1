import { join } from 'node:path';
import type { Clock, Random } from '@shoal/protocol';
import type { BlockExchange, BlockFile } from '@shoal/protocol/blocks';
import { FileCache, makeFolder } from '../cache/index.ts';
import { acquireFileLock } from './file-lock.ts';
import type { FetchOptions } from './progress.ts';
import { SharedWork } from './shared-work.ts';

export interface PeerFetcherDeps {
  readonly exchange: Pick<BlockExchange, 'fetch'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Brings files into a cache from other agents of the fleet. Processes that share the cache fetch a file once. */
export class PeerFetcher {
  readonly #deps: PeerFetcherDeps;
  readonly #cache: FileCache;
  readonly #shared = new SharedWork<void>();

  constructor(deps: PeerFetcherDeps, options: { readonly cacheDirectory: string }) {
    this.#deps = deps;
    this.#cache = new FileCache(deps, { directory: options.cacheDirectory });
  }

  has(file: BlockFile): Promise<boolean> {
    return this.#cache.has(file);
  }

  /**
   * Resolves when the file is in the cache, and is the one that it is called.
   * @param name What it is, for progress.
   * @throws `not-found` when no agent that can be reached has it; `timeout`, `io.disk-full`, `io.failed`, `aborted`
   */
  fetch(file: BlockFile, name: string, options: FetchOptions): Promise<void> {
    return this.#shared.run(file.sha256, options, async ({ signal, onProgress }) => {
      const folder = join(this.#cache.directory, 'locks');
      await makeFolder(folder);
      const release = await acquireFileLock(this.#deps, join(folder, `${file.sha256}.blocks`), signal);
      try {
        // Another process may have brought it while this one waited for the lock.
        if ((await this.#cache.verified(file, signal)) !== undefined) return;
        await this.#deps.exchange.fetch(file, {
          signal,
          onProgress: (progress) => onProgress?.({ name, ...progress }),
        });
      } finally {
        await release();
      }
    });
  }
}
