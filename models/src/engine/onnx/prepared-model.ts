import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { readIntoPages } from './read-into-pages.ts';

/**
 * A model as the runtime has optimised it for this processor, kept from one load to the next (in ORT format). Loading it takes half the time, and
 * leaves behind nothing of the optimiser.
 *
 * The name of the file says what it was made of, by which runtime, for which processor, and its own digest. So it is never believed for another, and
 * one that was cut short or decayed is made anew.
 */
export class PreparedModel {
  readonly #directory: string;
  readonly #ofModel: string;
  readonly #prefix: string;
  readonly #temporaryPath: string;

  constructor(directory: string, model: { readonly sha256: string }, maker: string) {
    this.#directory = directory;
    this.#ofModel = `${model.sha256}-`;
    this.#prefix = `${this.#ofModel}${hash('sha256', maker).slice(0, 16)}-`;
    this.#temporaryPath = join(directory, `${this.#ofModel}${process.pid}-${threadId}.making`);
  }

  /** `undefined` when there is none that is whole. */
  async read(): Promise<Uint8Array | undefined> {
    for (const name of await this.#files()) {
      if (!name.startsWith(this.#prefix)) continue;
      const bytes = await readIntoPages(join(this.#directory, name)).catch(() => undefined);
      if (bytes && name === this.#nameOf(bytes)) return bytes;
    }
    return undefined;
  }

  /** `write` writes it to the path that it is given; then it takes the place of all that was kept of this model before. @throws what `write` throws */
  async make(write: (path: string) => Promise<void>): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const before = await this.#files();
    try {
      await write(this.#temporaryPath);
      const name = this.#nameOf(await readFile(this.#temporaryPath));
      await rename(this.#temporaryPath, join(this.#directory, name));
      await this.#remove(before.filter((other) => other !== name));
    } catch (error) {
      await rm(this.#temporaryPath, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** What is kept of this model does not work. */
  async forget(): Promise<void> {
    await this.#remove(await this.#files());
  }

  /** All that is kept of this model, but for what another process is just writing. */
  async #files(): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch(() => [] as string[]);
    return names.filter((name) => name.startsWith(this.#ofModel) && !isBeingWritten(name));
  }

  #nameOf(bytes: Uint8Array): string {
    return `${this.#prefix}${hash('sha256', bytes)}.ort`;
  }

  async #remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.#directory, name), { force: true });
  }
}

function isBeingWritten(name: string): boolean {
  const [, pid] = /-(\d+)-\d+\.making$/.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Who makes a prepared model, and for which processor: the layout of weights depends on the instructions that it has. */
export async function makerOf(runtimeVersion: string): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const features = /^(?:flags|Features)\s*:.*$/m.exec(text)?.[0] ?? '';
  return `${runtimeVersion} ${arch()} ${cpus()[0]?.model} ${features}`;
}
