import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  cp,
  link,
  mkdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { ShoalError } from '@shoal/protocol';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Runs whatever version it lies in, with the Node of that version, also through links. */
const launcher = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/node_modules/@shoal/agent/bin/shoal-agent.js" "$@"
`;

/**
 * Versions of the agent side by side in a folder, `versions/<version>` each with all it needs, and links that say which one runs. A version is copied
 * under another name and then given its own, so that there is never half of one.
 */
export class Versions {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** @returns the version, or `undefined` when there is no such link */
  async linked(name: 'current' | 'previous'): Promise<string | undefined> {
    const target = await readlink(join(this.#home, name)).catch(() => undefined);
    return target?.replace(/^versions\//, '');
  }

  /** In one step: whoever starts the agent at this moment starts the one or the other. */
  async point(name: 'current' | 'previous', version: string): Promise<void> {
    const made = join(this.#home, `.${name}.new`);
    await rm(made, { force: true });
    await symlink(`versions/${version}`, made);
    await rename(made, join(this.#home, name));
  }

  has(version: string): boolean {
    return existsSync(join(this.#home, 'versions', version));
  }

  async remove(version: string): Promise<void> {
    await rm(join(this.#home, 'versions', version), { recursive: true, force: true });
  }

  /**
   * Copies an installed package of the agent, and what it needs, into a version of its own.
   * @param source a folder with the package in it, or the file that `npm pack` makes
   * @returns the version
   */
  async add(source: string): Promise<string> {
    const staging = join(this.#home, `.staging.${process.pid}`);
    try {
      const found = source.endsWith('.tgz') ? await unpacked(source, staging) : await realpath(source);
      const { version } = await manifestOf(found);
      if (!existsSync(join(found, 'bundle/main.js'))) {
        throw new ShoalError(
          'input.unsupported',
          `${found} is a clone of the sources and not a package: npm pack -w agent makes one, npm install FILE unpacks it`,
        );
      }
      if (this.has(version)) return version;
      const made = join(this.#home, `.${version}.new`);
      await rm(made, { recursive: true, force: true });
      await mkdir(join(made, 'node_modules'), { recursive: true });
      for (const [name, folder] of await withDependencies(found)) {
        await cp(folder, join(made, 'node_modules', name), { recursive: true });
      }
      await placeNode(join(made, 'node'));
      await writeFile(join(made, 'shoal-agent'), launcher);
      await chmod(join(made, 'shoal-agent'), 0o755);
      await mkdir(join(this.#home, 'versions'), { recursive: true });
      await rename(made, join(this.#home, 'versions', version));
      return version;
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
}

async function manifestOf(folder: string): Promise<Manifest> {
  try {
    return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  } catch (cause) {
    throw new ShoalError('not-found', `${folder} holds no package of the agent`, { folder }, { cause });
  }
}

/** What npm makes of a packed file; its dependencies come from the registry. */
async function unpacked(file: string, staging: string): Promise<string> {
  await mkdir(staging, { recursive: true });
  const args = ['install', await realpath(file), '--prefix', staging, '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', args).catch((cause: Error & { stderr?: string }) => {
    throw new ShoalError(
      'io.failed',
      `npm could not install ${file}: ${cause.stderr?.trim() || cause.message}`,
      {},
      { cause },
    );
  });
  return join(staging, 'node_modules/@shoal/agent');
}

/** The package and every package that it needs, by name, each from where Node would find it. */
async function withDependencies(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  const add = async (name: string, from: string): Promise<void> => {
    if (seen.has(from)) return;
    seen.add(from);
    // What lies in the folder of its user is copied with it.
    const nested = [...found.values()].some((one) => !relative(one, from).startsWith('..'));
    if (!nested) found.set(name, from);
    const { dependencies, optionalDependencies } = await manifestOf(from);
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = lookUp(needed, from);
      if (place) await add(needed, place);
      else if (!optionalDependencies?.[needed]) {
        throw new ShoalError('not-found', `${name} needs ${needed}, which is not installed beside it: npm install it`);
      }
    }
  };
  await add((await manifestOf(folder)).name, folder);
  return found;
}

function lookUp(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return place;
    if (dirname(folder) === folder) return undefined;
  }
}

/** A link to the Node that runs this, when it is the machine's; a copy of one in a person's folder: the service may not look there. */
async function placeNode(path: string): Promise<void> {
  const node = await realpath(process.execPath);
  if (!/^\/(home|root|tmp|Users|var\/tmp)\//.test(node)) {
    await symlink(node, path);
    return;
  }
  await link(node, path).catch(() => copyFile(node, path));
}
