import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packagesOf } from './bundle.ts';

/** What Vite writes down beside the page: the modules that are in it. */
const moduleList = 'modules.txt';

/** Lays the built page into `folder`. @returns the folders of the packages by others whose code is in it */
export async function addPage(root: string, page: string, folder: string): Promise<readonly string[]> {
  const from = join(root, page);
  await cp(from, join(folder, 'dashboard'), { recursive: true, filter: (file) => !file.endsWith(moduleList) });
  const modules = (await readFile(join(from, moduleList), 'utf8')).split('\n').filter(Boolean);
  return packagesOf(modules.map((module) => join(root, module)));
}
