import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asShoalError, newId, type Random, ShoalError } from '@shoal/protocol';
import type { BlobDraft, BlobStore } from '../blob-store.ts';
import { tooLarge } from '../memory/memory-blob-store.ts';

/**
 * Bytes as files in a folder: `ab/abcdef...`, by the first two digits of the digest. What is being written lies in `incoming/` until it is whole
 * and on the disk; whatever a crash left there is deleted at the start.
 */
export class FileBlobStore implements BlobStore {
  readonly name = 'file-blob-store';
  readonly #folder: string;
  readonly #incoming: string;
  readonly #random: Random;
  #drafts = 0;

  constructor(random: Random, folder: string) {
    this.#random = random;
    this.#folder = folder;
    this.#incoming = join(folder, 'incoming');
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await guarded(this.#folder, async () => {
      await rm(this.#incoming, { recursive: true, force: true });
      await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
    });
  }

  async stop(): Promise<void> {}

  async write(content: AsyncIterable<Uint8Array>, limitBytes: number, signal: AbortSignal): Promise<BlobDraft> {
    this.#drafts += 1;
    const path = join(this.#incoming, newId('blob', this.#drafts, this.#random));
    const discard = () => rm(path, { force: true });
    try {
      return await guarded(path, async () => {
        const file = await open(path, 'wx', 0o600);
        try {
          const written = await copy(content, file, limitBytes, signal);
          await file.sync();
          return { ...written, discard, keep: () => this.#keep(path, written.digest) };
        } finally {
          await file.close();
        }
      });
    } catch (error) {
      await discard().catch(() => {});
      throw error;
    }
  }

  async read(
    digest: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined> {
    return guarded(digest, async () => {
      const file = await open(this.#pathOf(digest), 'r').catch(unlessMissing);
      if (!file) return undefined;
      try {
        const { size } = await file.stat();
        const offset = Math.min(range?.offset ?? 0, size);
        const bytes = Buffer.alloc(Math.min(range?.length ?? size, size - offset));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    });
  }

  async remove(digest: string): Promise<void> {
    await guarded(digest, () => rm(this.#pathOf(digest), { force: true }));
  }

  async *digests(): AsyncIterable<string> {
    for (const folder of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of await readdir(join(this.#folder, folder))) if (isDigest(name)) yield name;
    }
  }

  async #keep(path: string, digest: string): Promise<void> {
    await guarded(digest, async () => {
      const folder = join(this.#folder, digest.slice(0, 2));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rename(path, this.#pathOf(digest));
      await syncFolder(folder);
    });
  }

  #pathOf(digest: string): string {
    // A digest from outside never becomes a path to somewhere else.
    if (!isDigest(digest)) throw new ShoalError('input.invalid', 'a digest is 64 lower-case hex digits');
    return join(this.#folder, digest.slice(0, 2), digest);
  }
}

async function copy(
  content: AsyncIterable<Uint8Array>,
  file: FileHandle,
  limitBytes: number,
  signal: AbortSignal,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of content) {
    signal.throwIfAborted();
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
    hash.update(piece);
    await file.writeFile(piece);
  }
  return { digest: hash.digest('hex'), sizeBytes };
}

/** A rename is on the disk once its folder is. Windows cannot open a folder, and does not need to. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function guarded<Value>(what: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    const shoal = asShoalError(error, 'io.failed');
    if (shoal === error || shoal.code !== 'io.disk-full') throw shoal;
    throw new ShoalError('io.disk-full', `no space is left to keep ${what}`, {}, { cause: error });
  }
}
