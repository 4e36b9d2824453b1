import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** Stands for npm: writes down how it was called, and installs what the lock file says, in its time, or fails. */
const npm = `
const { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } = require('node:fs');
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (existsSync('registry-is-down')) {
  console.error('npm error network request to the registry failed');
  process.exit(1);
}
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules');
symlinkSync(process.env.TYPESCRIPT, 'node_modules/typescript');
mkdirSync('node_modules/vite/bin', { recursive: true });
if (existsSync('vite.js')) copyFileSync('vite.js', 'node_modules/vite/bin/vite.js');
const downloading = setInterval(() => {
  if (existsSync('registry-is-slow')) return;
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  clearInterval(downloading);
}, 5);
`;

/** A small project with one workspace, in which the script runs as it does in the repository. */
async function aProject() {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-prepare-'));
  folders.push(folder);
  const path = (...parts: string[]) => join(folder, ...parts);
  const write = async (name: string, content: string) => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), content);
  };
  const lock = (version: string) =>
    write(
      'package-lock.json',
      JSON.stringify({
        packages: { '': {}, 'node_modules/a': { version }, 'node_modules/mac-only': { optional: true } },
      }),
    );
  await write('package.json', JSON.stringify({ workspaces: ['one', 'no-sources'] }));
  await write('tsconfig.base.json', '{}');
  await write('one/package.json', '{}');
  await write(
    'one/tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        composite: true,
        rootDir: 'src',
        outDir: 'dist',
        tsBuildInfoFile: 'dist/.tsbuildinfo',
        types: [],
        // What the compiler knows of the language is most of its work here: the least of it, and unchecked.
        lib: ['es5'],
        skipLibCheck: true,
      },
      include: ['src'],
    }),
  );
  await write('one/src/a.ts', 'export const a: number = 1;\n');
  await lock('1.0.0');
  await write('npm-cli.js', npm);
  await mkdir(path('scripts'));
  await copyFile(join(root, 'scripts/prepare.mjs'), path('scripts/prepare.mjs'));

  const prepare = (...args: string[]) =>
    new Promise<{ code: number | null; said: string }>((resolve, reject) => {
      const env = {
        ...process.env,
        npm_execpath: path('npm-cli.js'),
        TYPESCRIPT: join(root, 'node_modules/typescript'),
      };
      const child = spawn(process.execPath, [path('scripts/prepare.mjs'), ...args], { cwd: tmpdir(), env });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('waiting for it')) rmSync(path('registry-is-slow'), { force: true });
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, said }));
    });
  const npmCalls = async () =>
    (await readFile(path('npm-calls'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
  return { path, write, lock, prepare, npmCalls };
}

describe('prepare', () => {
  test('installs and builds on a fresh clone, and then does nothing and says nothing', async () => {
    const project = await aProject();
    const first = await project.prepare();
    expect(first).toMatchObject({ code: 0, said: expect.stringMatching(/Installing.*done in .*Building.*done in/s) });
    expect(await project.npmCalls()).toEqual(['ci --include=dev --loglevel=error --no-progress']);
    expect(existsSync(project.path('one/dist/a.js'))).toBe(true);
    expect(await project.prepare()).toEqual({ code: 0, said: '' });
    expect(await project.npmCalls()).toHaveLength(1);
  });

  test('accepts what npm installed by hand, with the packages of other platforms left out', async () => {
    const project = await aProject();
    await mkdir(project.path('node_modules'));
    await symlink(join(root, 'node_modules/typescript'), project.path('node_modules/typescript'));
    await project.write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
    expect(await project.prepare()).toMatchObject({ code: 0, said: expect.not.stringContaining('Installing') });
    expect(await project.npmCalls()).toEqual([]);
  });

  test('installs again when the lock file asks for another version, and when an install was cut short', async () => {
    const project = await aProject();
    await project.prepare('--install');
    await project.lock('1.0.1');
    await project.prepare('--install');
    expect(await project.npmCalls()).toHaveLength(2);
    await unlink(project.path('node_modules/.package-lock.json'));
    await project.prepare('--install');
    expect(await project.npmCalls()).toHaveLength(3);
    expect(existsSync(project.path('one/dist')), 'nobody asked for a build').toBe(false);
  });

  test('builds again when a source is edited, added or removed, or the build is gone', async () => {
    const project = await aProject();
    await project.prepare();
    const changes = [
      () => appendFile(project.path('one/src/a.ts'), 'export const more = 2;\n'),
      () => project.write('one/src/deep/b.ts', 'export const b = 1;\n'),
      () => unlink(project.path('one/src/deep/b.ts')),
      () => rm(project.path('one/dist'), { recursive: true }),
    ];
    for (const change of changes) {
      await change();
      expect(await project.prepare(), String(change)).toMatchObject({
        code: 0,
        said: expect.stringContaining('Building'),
      });
      expect(await project.prepare(), String(change)).toEqual({ code: 0, said: '' });
    }
  });

  test('builds the page when it or the rules of proofs in it are edited, and nothing else then', async () => {
    const project = await aProject();
    const page = 'coordinator/dashboard';
    // Stands for Vite: writes down how it was called, and what it was given.
    await project.write(
      'vite.js',
      `const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
      const [, , ...args] = process.argv;
      appendFileSync('vite-calls', args.join(' ') + '\\n');
      mkdirSync(args[1] + '/dist', { recursive: true });
      writeFileSync(args[1] + '/dist/index.html', '');`,
    );
    for (const name of ['index.html', 'vite.config.ts', 'public/icon.svg', 'src/main.ts'])
      await project.write(`${page}/${name}`, '');
    await project.write('protocol/src/proof.ts', '');
    expect(await project.prepare()).toMatchObject({
      code: 0,
      said: expect.stringMatching(/Building the page.*done in/s),
    });
    expect(await project.prepare()).toEqual({ code: 0, said: '' });
    const changes = [
      () => appendFile(project.path(page, 'src/main.ts'), '//'),
      () => appendFile(project.path('protocol/src/proof.ts'), '//'),
      () => rm(project.path(page, 'dist'), { recursive: true }),
    ];
    for (const change of changes) {
      await change();
      const { code, said } = await project.prepare();
      expect([code, said.match(/^Building.*done/gm)], String(change)).toEqual([0, ['Building the page: done']]);
    }
    const calls = (await readFile(project.path('vite-calls'), 'utf8')).trim().split('\n');
    expect(calls).toEqual(Array(4).fill(`build ${project.path(page)} --logLevel warn`));
  });

  test('shows what the compiler says when a source does not compile, and fails until it does', async () => {
    const project = await aProject();
    await project.write('one/src/a.ts', `export const a: number = 'one';\n`);
    for (const _time of ['first', 'second']) {
      const { code, said } = await project.prepare();
      expect(code).toBe(1);
      expect(said).toMatch(/one\/src\/a\.ts.*TS2322.*Not ready: building failed.*npx tsc -b/s);
    }
    await project.write('one/src/a.ts', 'export const a = 1;\n');
    expect(await project.prepare()).toMatchObject({ code: 0 });
  });

  test('shows what npm says when it fails, and what to do', async () => {
    const project = await aProject();
    await project.write('registry-is-down', '');
    const { code, said } = await project.prepare();
    expect(code).toBe(1);
    expect(said).toMatch(
      /request to the registry failed.*Not ready: installing packages failed \(exit code 1\).*npm ping/s,
    );
  });

  test('run twice at once: one works, the other waits for it', async () => {
    const project = await aProject();
    await project.write('registry-is-slow', '');
    const both = await Promise.all([project.prepare(), project.prepare()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await project.npmCalls()).toHaveLength(1);
    expect(both.filter(({ said }) => said.includes('waiting for it'))).toHaveLength(1);
    expect(existsSync(project.path('.shoal/prepare.lock'))).toBe(false);
  });

  test('takes over from a process that was killed while it prepared', async () => {
    const project = await aProject();
    const dead = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => dead.on('close', resolve));
    await project.write('.shoal/prepare.lock/pid', String(dead.pid));
    expect(await project.prepare()).toMatchObject({ code: 0 });
    expect(await project.npmCalls()).toHaveLength(1);
  });
});
