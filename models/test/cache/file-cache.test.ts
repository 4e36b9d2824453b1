import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { systemRandom } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultCacheDirectory, FileCache } from '../../src/cache/index.ts';

const content = Buffer.from('a file like any other');
const identity = { sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.length };
const { signal } = new AbortController();
let directory: string;
let cache: FileCache;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-cache-'));
  cache = new FileCache({ random: systemRandom }, { directory });
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function aFile(bytes: Uint8Array): Promise<string> {
  const path = await cache.temporaryPath();
  await writeFile(path, bytes);
  return path;
}

describe('the file cache', () => {
  it('holds nothing before anything was put in', async () => {
    expect([await cache.has(identity), await cache.verified(identity, signal), await cache.list()]).toEqual([
      false,
      undefined,
      [],
    ]);
  });

  it('takes a file in under its digest, and leaves nothing beside it', async () => {
    const path = await cache.adopt(await aFile(content), identity, 'a file', signal);
    expect(await readFile(path)).toEqual(content);
    expect([await cache.has(identity), await cache.verified(identity, signal)]).toEqual([true, path]);
    expect(await cache.list()).toEqual([identity.sha256]);
    expect(await readdir(join(directory, 'temporary'))).toEqual([]);
  });

  it('refuses a file that is another, and removes it', async () => {
    const path = await aFile(Buffer.from('a file unlike any other'));
    await expect(cache.adopt(path, identity, 'a file', signal)).rejects.toMatchObject({
      code: 'model.digest',
      facts: { expectedSha256: identity.sha256 },
    });
    expect(await readdir(join(directory, 'temporary'))).toEqual([]);
    expect(await cache.list()).toEqual([]);
  });

  it('removes a file that was changed where it lies', async () => {
    const path = await cache.adopt(await aFile(content), identity, 'a file', signal);
    await writeFile(path, content.toString().toUpperCase());
    expect(await cache.has(identity)).toBe(true);
    expect(await cache.verified(identity, signal)).toBeUndefined();
    expect(await cache.list()).toEqual([]);
  });

  it('does not take a file of another size for the one it should be', async () => {
    const path = await cache.adopt(await aFile(content), identity, 'a file', signal);
    await writeFile(path, 'cut');
    expect([await cache.has(identity), await cache.verified(identity, signal)]).toEqual([false, undefined]);
  });

  it('takes the same file twice without harm', async () => {
    const paths = await Promise.all(
      [1, 2].map(async () => cache.adopt(await aFile(content), identity, 'a file', signal)),
    );
    expect(paths[0]).toBe(paths[1]);
    expect(await cache.verified(identity, signal)).toBe(paths[0]);
  });

  it('sweeps out what was left half made long ago, and nothing else', async () => {
    const held = await cache.adopt(await aFile(content), identity, 'a file', signal);
    const old = await aFile(content);
    const young = await aFile(content);
    await utimes(old, 1_000, 1_000);
    await utimes(held, 1_000, 1_000);
    await cache.sweep(Date.now(), 60_000);
    expect(await readdir(join(directory, 'temporary'))).toEqual([basename(young)]);
    expect(await cache.has(identity)).toBe(true);
  });

  it('says when its folder cannot be made', async () => {
    await writeFile(join(directory, 'taken'), '');
    const misplaced = new FileCache({ random: systemRandom }, { directory: join(directory, 'taken') });
    await expect(misplaced.temporaryPath()).rejects.toMatchObject({
      code: 'io.failed',
      message: expect.stringContaining('choose another one'),
    });
  });
});

describe('the default cache folder', () => {
  const homeDirectory = '/mia';

  it.each([
    ['linux', {}, '/mia/.cache/shoal'],
    ['linux', { XDG_CACHE_HOME: '/fast/cache' }, '/fast/cache/shoal'],
    ['linux', { XDG_CACHE_HOME: 'relative' }, '/mia/.cache/shoal'],
    ['freebsd', {}, '/mia/.cache/shoal'],
    ['darwin', {}, '/mia/Library/Caches/shoal'],
    ['win32', { LOCALAPPDATA: '/c/local' }, '/c/local/shoal/Cache'],
    ['linux', { SHOAL_CACHE_DIR: '/mine' }, '/mine'],
  ] as const)('on %s with %o is %s', (platform, environment, expected) => {
    expect(defaultCacheDirectory({ platform, homeDirectory, environment })).toBe(expected);
  });
});
