import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateIdentity, NextIdentity, systemRandom } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-next-key-'));
  path = join(directory, 'device.key');
});
afterEach(() => rm(directory, { recursive: true }));

describe('the key that is to take the place of another', () => {
  it('is not there until it is asked for, and is the same one however often it is', async () => {
    const next = new NextIdentity(path, 'device');
    expect(await next.load()).toBeUndefined();
    await Promise.all([next.prepare(systemRandom), next.prepare(systemRandom)]);
    const prepared = await next.load();
    await next.prepare(systemRandom);
    expect((await new NextIdentity(path, 'device').load())?.id).toBe(prepared?.id);
    expect((await stat(`${path}.next`)).mode & 0o777).toBe(0o600);
  });

  it('leaves the present one as it is, until it is adopted; then that one is gone', async () => {
    const before = await loadOrCreateIdentity(path, 'device', systemRandom);
    const next = new NextIdentity(path, 'device');
    await next.prepare(systemRandom);
    const prepared = await next.load();
    expect((await loadOrCreateIdentity(path, 'device', systemRandom)).id).toBe(before.id);
    await next.adopt();
    expect((await loadOrCreateIdentity(path, 'device', systemRandom)).id).toBe(prepared?.id);
    expect(await next.load()).toBeUndefined();
    expect(await readdir(directory)).toEqual(['device.key']);
  });

  it('is dropped when it is not wanted', async () => {
    const before = await loadOrCreateIdentity(path, 'device', systemRandom);
    const next = new NextIdentity(path, 'device');
    await next.prepare(systemRandom);
    await next.drop();
    await next.drop();
    expect(await next.load()).toBeUndefined();
    expect((await loadOrCreateIdentity(path, 'device', systemRandom)).id).toBe(before.id);
  });

  it('is refused when its file is none, and what is in it is not said', async () => {
    await writeFile(`${path}.next`, 'shoal-ed25519-seed coordinator 0011');
    const loaded = new NextIdentity(path, 'device').load();
    await expect(loaded).rejects.toMatchObject({ code: 'io.failed', message: expect.not.stringContaining('0011') });
  });
});
