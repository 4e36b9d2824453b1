import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../cache/index.ts';

export interface PackageShelfOptions {
  readonly directory: string;
  /** Most bytes of tarballs kept between calls. One that is larger than this alone is not kept. */
  readonly maxBytes: number;
}

/** Tarballs kept for a while, since one often holds several models; the oldest go first when there are too many. */
export class PackageShelf {
  readonly #options: PackageShelfOptions;

  constructor(options: PackageShelfOptions) {
    this.#options = options;
  }

  async pathOf(key: string): Promise<string> {
    await makeFolder(this.#options.directory);
    return join(this.#options.directory, `${key}.tgz`);
  }

  async keep(partPath: string, key: string): Promise<string> {
    const path = await this.pathOf(key);
    await rename(partPath, path);
    return path;
  }

  /** Removes the oldest tarballs until the rest is within the limit. */
  async prune(): Promise<void> {
    const names = await readdir(this.#options.directory).catch(() => []);
    const files = await Promise.all(
      names
        .filter((name) => name.endsWith('.tgz'))
        .map(async (name) => {
          const path = join(this.#options.directory, name);
          const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
          return { path, size, mtimeMs };
        }),
    );
    let left = this.#options.maxBytes;
    for (const { path, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      left -= size;
      if (left < 0) await rm(path, { force: true });
    }
  }
}
