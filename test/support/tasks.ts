import { readFile } from 'node:fs/promises';
import type { Fleet } from './fleet.ts';
import { photoFiles } from './photos.ts';

export interface TaskAnswer {
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
  readonly attempts: readonly { readonly device: string; readonly state: string; readonly reason?: string }[];
}

/** Hands in one picture and returns the id of its task, acknowledged with 202. */
export async function submitPhoto(fleet: Fleet, fields: Readonly<Record<string, string>> = {}): Promise<string> {
  const [path] = await photoFiles();
  if (path === undefined) throw new Error('no picture');
  const form = new FormData();
  for (const [name, value] of Object.entries({ pipeline: 'detect', ...fields })) form.set(name, value);
  form.set('file', new Blob([await readFile(path)], { type: 'image/jpeg' }), 'photo.jpg');
  const response = await fetch(`${fleet.url}/v1/tasks`, { method: 'POST', body: form });
  if (response.status !== 202) throw new Error(`not accepted: ${response.status} ${await response.text()}`);
  return ((await response.json()) as TaskAnswer).id;
}

/** The task once it has ended. @throws when it has not within two minutes. */
export async function taskFinal(fleet: Fleet, id: string): Promise<TaskAnswer> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const task = await fleet.json<TaskAnswer>('GET', `/v1/tasks/${id}`).catch(() => undefined);
    if (task && ['succeeded', 'failed', 'expired', 'cancelled'].includes(task.state)) return task;
    if (performance.now() > deadlineMs) throw new Error(`task ${id} has not ended: ${JSON.stringify(task)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
