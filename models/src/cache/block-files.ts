import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { asShoalError, type Random, ShoalError } from '@shoal/protocol';
import type { BlockFile, BlockStore, PartFile, StoredFile } from '@shoal/protocol/blocks';
import { FileCache, makeFolder } from './file-cache.ts';

/** The cache in this folder as agents see it that fetch files from each other. What has come of a file lies with the parts of other downloads. */
export function blockFilesIn(directory: string, deps: { readonly random: Random }): BlockStore {
  const cache = new FileCache(deps, { directory });
  return {
    async open(file) {
      if (!(await cache.has(file))) return undefined;
      return storedFile(await open(cache.pathOf(file.sha256), 'r').catch(failed));
    },
    part: (file) => openPart(cache, file),
  };
}

async function openPart(cache: FileCache, file: BlockFile): Promise<PartFile> {
  const folder = join(cache.directory, 'parts');
  await makeFolder(folder);
  const path = join(folder, `${file.sha256}.blocks`);
  const kept = await open(path, 'r+').catch(() => undefined);
  const handle = kept ?? (await open(path, 'w+').catch(failed));
  await handle.truncate(file.sizeBytes).catch(failed);
  return {
    ...storedFile(handle),
    isNew: kept === undefined,
    async write(offset, bytes) {
      const { bytesWritten } = await handle.writev(bytes, offset).catch(failed);
      const wanted = bytes.reduce((sum, { length }) => sum + length, 0);
      if (bytesWritten < wanted)
        throw new ShoalError('io.failed', `only ${bytesWritten} of ${wanted} bytes were written`);
    },
    async finish() {
      await cache.place(path, file.sha256).catch(failed);
    },
  };
}

function storedFile(handle: FileHandle): StoredFile {
  return {
    async read(offset, length) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset).catch(failed);
      if (bytesRead === length) return buffer;
      throw new ShoalError('io.failed', `a file of the cache has become shorter: ${bytesRead} of ${length} bytes`);
    },
    close: () => handle.close(),
  };
}

function failed(error: unknown): never {
  throw asShoalError(error, 'io.failed');
}
