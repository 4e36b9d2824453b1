import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/protocol';
import type { Task } from '../../http/index.ts';
import type { ApiClient } from '../client/index.ts';
import { annotate } from './annotate.ts';

export interface Saved {
  readonly picture?: string;
  readonly proof: string;
}

/** Writes what is kept of a result: the picture with its boxes, and the proof beside it. Two inputs never share a name, and what is not an output is left alone. */
export class Outputs {
  readonly #directory: string;
  readonly #taken = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A name for the outputs of one input: `dog`, or `dog-2` when there was one before, or when `dog.jpg` is somebody's own picture. */
  nameFor(stem: string): string {
    let name = stem;
    for (let count = 2; this.#taken.has(name) || this.#isForeign(name); count++) name = `${stem}-${count}`;
    this.#taken.add(name);
    return name;
  }

  /** A picture without a proof beside it was not written here. */
  #isForeign(name: string): boolean {
    const base = join(this.#directory, name);
    return existsSync(`${base}.jpg`) && !existsSync(`${base}.proof.json`);
  }

  async save(name: string, picture: Uint8Array, task: Task, api: ApiClient, signal: AbortSignal): Promise<Saved> {
    const analysis = task.result?.analysis;
    if (!analysis) throw new ShoalError('defect', `the task ${task.id} has no result to save`);
    const base = join(this.#directory, name);
    await mkdir(join(base, '..'), { recursive: true });
    const proof = `${base}.proof.json`;
    await writeFile(proof, await api.bytes(`/v1/tasks/${task.id}/result/bundle`, signal));
    const drawn = await annotate(picture, analysis);
    if (!drawn) return { proof };
    await writeFile(`${base}.jpg`, drawn);
    return { picture: `${base}.jpg`, proof };
  }
}
