import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';

/** Real pictures that lie beside the project, never in it. */
export const sharedData = join(import.meta.dirname, '../../../shared/data');
const photos = join(sharedData, 'photos');

export async function photoFiles(): Promise<string[]> {
  const names = await readdir(photos).catch(() => [] as string[]);
  return names.filter((name) => /\.jpe?g$/i.test(name)).map((name) => join(photos, name));
}

export async function hasPhotos(): Promise<boolean> {
  return (await photoFiles()).length > 0;
}

/** One picture through a fleet. @throws when the task does not succeed within two minutes. */
export async function analysePhoto(fleet: Fleet, model: string, variant?: string): Promise<void> {
  const [path] = await photoFiles();
  if (path === undefined) throw new Error(`no picture in ${photos}`);
  const form = new FormData();
  form.set('pipeline', 'detect');
  form.set('model', model);
  if (variant !== undefined) form.set('variant', variant);
  form.set('file', new Blob([await readFile(path)], { type: 'image/jpeg' }), 'photo.jpg');
  const response = await fetch(`${fleet.url}/v1/tasks?wait=120000`, { method: 'POST', body: form });
  const text = await response.text();
  if (!text.includes('"succeeded"')) throw new Error(`the picture was not analysed: ${response.status} ${text}`);
}
