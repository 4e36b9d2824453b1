import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultCacheDirectory } from '../../src/cache/index.ts';
import { Catalogue } from '../../src/catalogue/index.ts';
import { realModelStore, whenReachable } from '../real-models.ts';

const command = join(import.meta.dirname, '../../bin/shoal-models.js');
const photos = join(import.meta.dirname, '../../../../shared/data/coco-val64');
const folder = await mkdtemp(join(tmpdir(), 'shoal-models-cli-'));
const manifests = join(folder, 'manifests');
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The real command, as it was built, in a process of its own. */
function shoalModels(args: readonly string[], cacheDirectory = join(folder, 'cache')) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, SHOAL_CACHE_DIR: cacheDirectory, SHOAL_MANIFESTS_DIR: manifests };
    execFile(process.execPath, [command, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('shoal-models', () => {
  it('teaches itself with --help', async () => {
    const { code, stdout } = await shoalModels(['--help']);
    expect(code).toBe(0);
    for (const command of ['list', 'fetch', 'import', 'eval', 'profile']) expect(stdout).toContain(command);
    expect(stdout).toMatch(/Exit codes/);
    expect((await shoalModels(['eval', '--help'])).stdout).toMatch(/class cx cy w h/);
  });

  it('lists every variant of the catalogue, as a table and as JSON', async () => {
    const { code, stdout } = await shoalModels(['list', '--json']);
    expect(code).toBe(0);
    const entries = new Catalogue().entries();
    expect(JSON.parse(stdout)).toMatchObject(
      entries.map(({ manifest, variant }) => ({ name: manifest.name, variant: variant.name, held: false })),
    );
    expect((await shoalModels(['list'])).stdout.trim().split('\n')).toHaveLength(entries.length + 1);
  });

  it('knows a user’s own model, and names the file and both digests when it is not the one that the manifest names', async () => {
    const { name: _, ...shipped } = new Catalogue().find('efficientdet-lite0').manifest;
    const [variant] = shipped.variants;
    const path = join(folder, 'my-model.onnx');
    const from = { url: `file:${path}`, sha256: 'ab'.repeat(32), sizeBytes: 5 };
    const own = { ...variant, sha256: from.sha256, sizeBytes: from.sizeBytes, source: { kind: 'file', from } };
    await mkdir(manifests);
    await writeFile(path, 'other');
    await writeFile(join(manifests, 'mine.json'), JSON.stringify({ ...shipped, name: 'mine', variants: [own] }));
    await writeFile(join(manifests, 'broken.json'), JSON.stringify({ ...shipped, name: 'Broken' }));
    const listed = await shoalModels(['list', '--json']);
    expect(JSON.parse(listed.stdout)).toContainEqual(expect.objectContaining({ name: 'mine', held: false }));
    expect(listed.stderr).toMatch(/a manifest is left out .*broken\.json.*manifest\.name must be text/);
    const { code, stderr } = await shoalModels(['fetch', 'mine']);
    expect(code).toBe(1);
    expect(stderr).toContain(path);
    expect(stderr).toContain(createHash('sha256').update('other').digest('hex'));
    expect(stderr).toContain(from.sha256);
    expect(await readFile(path, 'utf8')).toBe('other');
    await rm(manifests, { recursive: true });
  });

  it.each([
    ['no command', [], /Usage/],
    ['a command that is misspelt', ['lst'], /Did you mean list/],
    ['a missing argument', ['eval'], /missing required argument/],
    ['a limit that is no number', ['eval', 'efficientdet-lite0', '.', '--limit', 'all'], /whole number/],
    ['an unknown model', ['fetch', 'efficientdet-lite9'], /did you mean efficientdet-lite/],
    ['a folder without pictures', ['eval', 'efficientdet-lite0', import.meta.dirname], /holds no pictures/],
  ])('says what is wrong and exits with 2 on %s', async (_, args, message) => {
    const { code, stdout, stderr } = await shoalModels(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('exits with 1 when the folder cannot be read, and with 2 when a file cannot be converted', async () => {
    expect(await shoalModels(['eval', 'efficientdet-lite0', '/no/such/folder'])).toMatchObject({ code: 1 });
    const junk = join(folder, 'junk.tflite');
    await writeFile(junk, 'this is no model');
    const { code, stderr } = await shoalModels(['import', junk, join(folder, 'out.onnx')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/model\.import/);
    expect(existsSync(join(folder, 'out.onnx'))).toBe(false);
  });
});

describe('shoal-models with a real model', async () => {
  const cacheDirectory = defaultCacheDirectory({
    platform: process.platform,
    homeDirectory: homedir(),
    environment: process.env,
  });
  const name = 'efficientdet-lite0';
  const held = await whenReachable('the command with a real model', (signal) =>
    realModelStore(cacheDirectory).resolve(name, 'int8', { signal }),
  );

  it.skipIf(!held)('fetches: the path is of the verified file', async () => {
    const { stdout } = await shoalModels(['fetch', name, '--json'], cacheDirectory);
    expect(JSON.parse(stdout)).toMatchObject([{ name, variant: 'int8', path: held?.path }]);
  });

  it.skipIf(!held)('profiles', async () => {
    const { stdout } = await shoalModels(['profile', 'efficientdet-lite0', '--runs', '3', '--json'], cacheDirectory);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'efficientdet-lite0', variant: 'int8', samples: 3 });
  });

  it.skipIf(!held || !existsSync(photos))('evaluates, with one line of JSON on standard output', async () => {
    const args = ['eval', 'efficientdet-lite0', photos, '--limit', '4'];
    const { code, stdout } = await shoalModels([...args, '--json'], cacheDirectory);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ model: 'efficientdet-lite0', variant: 'int8', pictures: 4 });
    expect(report.mAP50).toBeGreaterThan(0);
    expect(report.mAP50).toBeLessThanOrEqual(1);
    expect((await shoalModels(args, cacheDirectory)).stdout).toContain(`mAP50      ${report.mAP50.toFixed(4)}`);
  });
});
