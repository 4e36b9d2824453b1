import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import type { Program } from './programs.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Writes the program of a workspace into `folder`, with everything that it imports but for what its package.json names as a dependency:
 * that is installed. What is imported when it is needed stays a file of its own.
 * @returns the folders of the packages by others whose code is in it
 */
export async function bundle(
  root: string,
  workspace: string,
  program: Program,
  folder: string,
): Promise<readonly string[]> {
  const { dependencies, optionalDependencies } = await readManifest(join(root, workspace));
  const installed = new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
  const bundled = await rolldown({
    cwd: root,
    input: { ...program.entries },
    platform: 'node',
    // From the sources: a build may be old.
    resolve: { conditionNames: ['source', 'node', 'import', 'default'] },
    // The oldest Node that is promised: `using` is newer.
    transform: { target: 'node22.13' },
    external: (id) => isOutside(id, installed),
    plugins: [engineBeside],
    onLog(level, log, report) {
      // An eval in a package by others (protobufjs looks for modules with one) is theirs to answer for.
      if (level === 'warn' && log.code === 'EVAL') return;
      report(level === 'warn' ? 'error' : level, log);
    },
  });
  const { output } = await bundled.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    // All in one folder: threads and child processes are started as files beside the one that starts them.
    chunkFileNames: '[name]-[hash].js',
  });
  const modules = output.flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
  return packagesOf(modules);
}

/** Of the packages that only this repository has: where a device has no ffmpeg of its own, the agent says so. */
const leftOut = new Set(['@ffmpeg-installer/ffmpeg']);

function isOutside(id: string, installed: ReadonlySet<string>): boolean {
  const name = id.split('/', id.startsWith('@') ? 2 : 1).join('/');
  return installed.has(name) || leftOut.has(name);
}

/** ONNX Runtime's own loader is bundled; its native part lies beside the bundle (`engine.ts`). */
const engineBeside: Plugin = {
  name: 'engine-beside',
  transform(code, id) {
    if (!id.endsWith('/onnxruntime-node/dist/binding.js')) return undefined;
    const inPackage = '../bin/napi-v6/';
    if (!code.includes(inPackage)) throw new Error('onnxruntime-node keeps its binary elsewhere now: see scripts/pack');
    return code.replace(inPackage, './onnxruntime/');
  },
};

/** The folders of the packages by others that modules are of. */
export function packagesOf(modules: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const id of modules) {
    const path = id.replace(/^\0/, '').replace(/\?.*$/, '');
    if (!path.includes('/node_modules/')) continue;
    folders.add(packageFolder(dirname(path)));
  }
  return [...folders].sort();
}

/** The nearest folder upward that is a package: some have a package.json without a name further down. */
function packageFolder(folder: string): string {
  const parent = dirname(folder);
  const holds = parent.endsWith('/node_modules') || /\/node_modules\/@[^/]+$/.test(parent);
  if (holds && existsSync(join(folder, 'package.json'))) return folder;
  if (parent === folder) throw new Error('a bundled module is of no package');
  return packageFolder(parent);
}
