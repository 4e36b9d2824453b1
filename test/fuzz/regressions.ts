import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An input that a target once failed on, and must never fail on again. */
export interface Regression {
  readonly target: string;
  /** What went wrong, for people. */
  readonly why: string;
  readonly hex: string;
}

const folder = join(import.meta.dirname, 'regressions');

export async function readRegressions(): Promise<readonly (Regression & { readonly file: string })[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => ({ file, ...(JSON.parse(await readFile(join(folder, file), 'utf8')) as Regression) })),
  );
}

/** Keeps it for ever. @returns the name of the file */
export async function keepRegression(regression: Regression): Promise<string> {
  const digest = createHash('sha256').update(regression.hex).digest('hex').slice(0, 8);
  const file = `${regression.target.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${digest}.json`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, file), `${JSON.stringify(regression, null, 2)}\n`);
  return file;
}
