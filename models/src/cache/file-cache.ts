import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asShoalError, type Random, ShoalError } from '@shoal/protocol';

export interface FileCacheOptions {
  readonly directory: string;
}

export interface FileIdentity {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Files under the name of their own digest. A file appears whole or not at all (rename after fsync), so several processes may
 * share one directory without a lock.
 */
export class FileCache {
  readonly directory: string;
  readonly #random: Random;

  constructor(deps: { readonly random: Random }, options: FileCacheOptions) {
    this.directory = options.directory;
    this.#random = deps.random;
  }

  pathOf(sha256: string): string {
    return join(this.directory, 'files', sha256.slice(0, 2), sha256);
  }

  /** Whether a file of this name and size is held. Does not read it: see {@link verified}. */
  async has(identity: FileIdentity): Promise<boolean> {
    try {
      const { size } = await stat(this.pathOf(identity.sha256));
      return size === identity.sizeBytes;
    } catch {
      return false;
    }
  }

  /** The path of a held file after its bytes were checked, or `undefined`. A file that does not fit its name is removed. */
  async verified(identity: FileIdentity, signal: AbortSignal): Promise<string | undefined> {
    const path = this.pathOf(identity.sha256);
    if (!(await this.has(identity))) return undefined;
    if ((await sha256OfFile(path, signal)) === identity.sha256) return path;
    await rm(path, { force: true });
    return undefined;
  }

  /** A name for a file in the making, in the cache's own file system so that it can be renamed into place. */
  async temporaryPath(): Promise<string> {
    const folder = join(this.directory, 'temporary');
    await makeFolder(folder);
    return join(folder, Buffer.from(this.#random.bytes(12)).toString('hex'));
  }

  /**
   * Moves a finished file into the cache, after checking that it is what it should be.
   * @returns its path in the cache.
   * @throws `model.digest` when it is another file, which is then removed; `io.disk-full`, `io.failed`.
   */
  async adopt(path: string, identity: FileIdentity, name: string, signal: AbortSignal): Promise<string> {
    try {
      const sha256 = await sha256OfFile(path, signal);
      if (sha256 !== identity.sha256) throw wrongDigest(name, identity, sha256, (await stat(path)).size);
      return await this.place(path, identity.sha256);
    } catch (error) {
      await rm(path, { force: true });
      throw asShoalError(error, 'io.failed');
    }
  }

  /** Moves a finished file into the cache whose digest was seen to be this one. */
  async place(path: string, sha256: string): Promise<string> {
    const target = this.pathOf(sha256);
    await makeFolder(dirname(target));
    await flush(path);
    await rename(path, target);
    await flush(dirname(target));
    return target;
  }

  /** Removes what processes that were killed left behind half made: temporary files and parts older than `olderThanMs`. */
  async sweep(nowMs: number, olderThanMs: number): Promise<void> {
    for (const folder of ['temporary', 'parts']) {
      for (const name of await readdir(join(this.directory, folder)).catch(() => [])) {
        const path = join(this.directory, folder, name);
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
        if (nowMs - mtimeMs > olderThanMs) await rm(path, { force: true });
      }
    }
  }

  /** Digests of all files held. */
  async list(): Promise<string[]> {
    const folders = await readdir(join(this.directory, 'files')).catch(() => []);
    const names = await Promise.all(
      folders.map((folder) => readdir(join(this.directory, 'files', folder)).catch(() => [])),
    );
    return names.flat().filter((name) => /^[0-9a-f]{64}$/.test(name));
  }
}

async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  return digestOfFile(path, 'sha256', 'hex', signal);
}

/** Reads the file in pieces, so that the event loop stays free whatever its size. */
export async function digestOfFile(
  path: string,
  algorithm: string,
  encoding: 'hex' | 'base64',
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm);
  const file = await open(path, 'r');
  try {
    // One buffer for the whole file: a new one for each piece is what the collector would be busy with.
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return hash.digest(encoding);
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new ShoalError(
      'io.failed',
      `the cache folder ${path} cannot be made: choose another one that can be written to`,
      { path },
      { cause },
    );
  }
}

/** A full disk in words that say what to do; any other failure as it is. */
export function explainDiskFull(thrown: unknown, name: string, directory: string): unknown {
  if (asShoalError(thrown).code !== 'io.disk-full') return thrown;
  const message = `no space is left for ${name} in ${directory}: free some, or choose another cache folder`;
  return new ShoalError('io.disk-full', message, { name, directory }, { cause: thrown });
}

/** Waits until the file (or the folder's list of names) is on the disk. */
async function flush(path: string): Promise<void> {
  // Windows cannot open folders; a rename is durable there by the journal of NTFS.
  const file = await open(path, 'r').catch(() => undefined);
  try {
    await file?.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EINVAL') throw error;
  } finally {
    await file?.close();
  }
}

/** What a file is that was meant to be another one. `name` says which, for a person. */
export function wrongDigest(name: string, expected: FileIdentity, sha256: string, sizeBytes: number): ShoalError {
  return new ShoalError(
    'model.digest',
    `${name} is not the file that the manifest names: its SHA-256 is ${sha256} (${sizeBytes} bytes), not ${expected.sha256} (${expected.sizeBytes} bytes). It is not used`,
    { name, expectedSha256: expected.sha256, sha256, expectedBytes: expected.sizeBytes, sizeBytes },
  );
}
