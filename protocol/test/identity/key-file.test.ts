import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateIdentity, systemRandom } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-key-'));
  path = join(folder, 'state', 'key');
});
afterEach(() => rm(folder, { recursive: true }));

const load = (role: 'device' | 'coordinator' = 'device') => loadOrCreateIdentity(path, role, systemRandom);

describe('the key file', () => {
  it('is made on first start, for its owner only, and is the same identity ever after', async () => {
    const identity = await load();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    expect((await load()).id).toBe(identity.id);
    expect(await readdir(join(folder, 'state'))).toEqual(['key']);
  });

  it('is made once when many start at the same time, and all use it', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await load()).id));
    expect(new Set(ids).size).toBe(1);
    expect(await readdir(join(folder, 'state'))).toEqual(['key']);
  });

  it('is closed to others when it was open to them', async () => {
    await load();
    await chmod(path, 0o644);
    await load();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['is empty', ''],
    ['is something else', 'hello'],
    ['is cut short', `shoal-ed25519-seed device ${'ab'.repeat(31)}\n`],
    ['is too long', `shoal-ed25519-seed device ${'ab'.repeat(33)}\n`],
    ['is not hex', `shoal-ed25519-seed device ${'xy'.repeat(32)}\n`],
    ["is the coordinator's", `shoal-ed25519-seed coordinator ${'ab'.repeat(32)}\n`],
    ['has more in it', `shoal-ed25519-seed device ${'ab'.repeat(32)} ${'ab'.repeat(32)}\n`],
  ])('is refused and left as it was when it %s', async (_why, content) => {
    path = join(folder, 'key');
    await writeFile(path, content);
    await expect(load()).rejects.toMatchObject({ code: 'io.failed', facts: { path } });
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('never shows the key in an error', async () => {
    path = join(folder, 'key');
    await writeFile(path, `shoal-ed25519-seed coordinator ${'ab'.repeat(32)}\n`);
    const error = await load().catch((thrown: unknown) => thrown);
    expect(String(error) + JSON.stringify(error)).not.toContain('abab');
  });

  it('is refused with its path when a folder stands there', async () => {
    path = folder;
    await expect(load()).rejects.toMatchObject({ code: 'io.failed', facts: { path } });
  });
});
