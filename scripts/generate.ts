import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Makes files from one source of truth: their paths from the root of the repository, and what they must contain. */
type Generator = () => Promise<ReadonlyMap<string, string>>;

/**
 * In order: what comes later may import what comes earlier has made, so each is loaded when its turn has come.
 * `npm run generate` writes, `npm run generate -- --check` only compares (and is a step of `npm run check`).
 */
const generators: Readonly<Record<string, Generator>> = {
  messages: async () => (await import('./generate-messages.ts')).generateMessages(),
  'error docs': async () => (await import('./generate-error-docs.ts')).generateErrorDocs(),
};

const root = join(import.meta.dirname, '..');
const onlyCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const [name, generate] of Object.entries(generators)) {
  const files = await generate();
  const changed = [...(await filesThatDiffer(files)), ...(await filesLeftOver(files))];
  stale.push(...changed);
  if (!onlyCheck) await writeAll(files, changed);
  console.log(`${name}: ${changed.length === 0 ? 'up to date' : changed.join(', ')}`);
}

if (onlyCheck && stale.length > 0) {
  console.error(`Out of date: ${stale.join(', ')}. Run: npm run generate`);
  process.exitCode = 1;
}

async function filesThatDiffer(files: ReadonlyMap<string, string>): Promise<string[]> {
  const differ = await Promise.all(
    [...files].map(async ([path, content]) => (await contentOf(path)) !== content && path),
  );
  return differ.filter((path) => path !== false);
}

/** Files in a folder named `generated` that nothing makes any more. */
async function filesLeftOver(files: ReadonlyMap<string, string>): Promise<string[]> {
  const folders = new Set(
    [...files.keys()].map((path) => dirname(path)).filter((path) => basename(path) === 'generated'),
  );
  const present = await Promise.all(
    [...folders].map(async (folder) =>
      (await readdir(join(root, folder)).catch(() => [])).map((name) => `${folder}/${name}`),
    ),
  );
  return present.flat().filter((path) => !files.has(path));
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(join(root, path), 'utf8').catch(() => undefined);
}

async function writeAll(files: ReadonlyMap<string, string>, changed: readonly string[]): Promise<void> {
  for (const path of changed) {
    const content = files.get(path);
    if (content === undefined) throw new Error(`${path} is not generated any more: delete it`);
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}
