import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const path = join(import.meta.dirname, 'fixtures', 'golden.json');

/** Hex of the bytes of every sample, by its name. */
export async function readGolden(): Promise<Readonly<Record<string, string>>> {
  return JSON.parse(await readFile(path, 'utf8'));
}

export async function writeGolden(golden: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(path, `${JSON.stringify(golden, null, 2)}\n`);
}
