import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, sha256Hex } from '@shoal/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { type BlobStore, MemoryBlobStore } from '../../src/blobs/index.ts';
import { FileBlobStore } from '../../src/blobs/real/index.ts';
import { never } from '../support/scripted-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-blobs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;
const aFolder = () => join(folder, String(++folders));

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function all(store: BlobStore): Promise<string[]> {
  const digests: string[] = [];
  for await (const digest of store.digests()) digests.push(digest);
  return digests.sort();
}

const stores: [string, () => BlobStore][] = [
  ['memory', () => new MemoryBlobStore()],
  ['files', () => new FileBlobStore(seededRandom(1), aFolder())],
];

describe.each(stores)('a blob store of %s', (_, make) => {
  const started = async () => {
    const store = make();
    await store.start(never);
    return store;
  };

  it('gives back what was kept, by its digest, whole or in part', async () => {
    const store = await started();
    const draft = await store.write(pieces('hello ', 'wor', 'ld'), 100, never);
    expect(draft).toMatchObject({ digest: sha256Hex('hello world'), sizeBytes: 11 });
    expect(await store.read(draft.digest)).toBeUndefined();
    await draft.keep();
    const text = async (range?: { offset: number; length: number }) =>
      Buffer.from((await store.read(draft.digest, range)) ?? []).toString();
    expect(await text()).toBe('hello world');
    expect(await text({ offset: 6, length: 3 })).toBe('wor');
    expect(await text({ offset: 6, length: 300 })).toBe('world');
    expect(await text({ offset: 600, length: 3 })).toBe('');
    expect(await all(store)).toEqual([draft.digest]);
  });

  it('keeps nothing of what is discarded or removed, and removes what is not there', async () => {
    const store = await started();
    await (await store.write(pieces('a'), 100, never)).discard();
    const kept = await store.write(pieces('b'), 100, never);
    await kept.keep();
    await store.remove(kept.digest);
    await store.remove(kept.digest);
    expect(await all(store)).toEqual([]);
  });

  it('refuses what is larger than the limit, before it has all of it', async () => {
    const store = await started();
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(10);
      }
    }
    await expect(store.write(endless(), 100, never)).rejects.toMatchObject({ code: 'input.too-large' });
    expect(asked).toBeLessThan(15);
  });

  it('stops when it is told to, or when what it reads breaks off', async () => {
    const store = await started();
    const stop = new AbortController();
    async function* stopped() {
      yield Buffer.from('a');
      stop.abort(new Error('enough'));
      yield Buffer.from('b');
    }
    await expect(store.write(stopped(), 100, stop.signal)).rejects.toThrow('enough');
    async function* broken() {
      yield Buffer.from('a');
      throw new Error('the connection broke');
    }
    await expect(store.write(broken(), 100, never)).rejects.toThrow('the connection broke');
    expect(await all(store)).toEqual([]);
  });

  it('keeps the same bytes once', async () => {
    const store = await started();
    for (let n = 0; n < 2; n++) await (await store.write(pieces('same'), 100, never)).keep();
    expect(await all(store)).toHaveLength(1);
  });

  it('keeps nothing at all as something', async () => {
    const store = await started();
    await (await store.write(pieces(), 100, never)).keep();
    expect(await store.read(sha256Hex(''))).toHaveLength(0);
  });
});

describe('a blob store of files', () => {
  it('leaves no half-written file behind, whatever went wrong', async () => {
    const path = aFolder();
    const store = new FileBlobStore(seededRandom(1), path);
    await store.start(never);
    await expect(store.write(pieces('x'.repeat(200)), 100, never)).rejects.toMatchObject({ code: 'input.too-large' });
    expect(readdirSync(join(path, 'incoming'))).toEqual([]);
  });

  it('deletes what a crash left half-written, and keeps what was whole', async () => {
    const path = aFolder();
    const before = new FileBlobStore(seededRandom(1), path);
    await before.start(never);
    const draft = await before.write(pieces('whole'), 100, never);
    await draft.keep();
    writeFileSync(join(path, 'incoming', 'half'), 'ha');
    const after = new FileBlobStore(seededRandom(2), path);
    await after.start(never);
    expect(readdirSync(join(path, 'incoming'))).toEqual([]);
    expect(await all(after)).toEqual([draft.digest]);
  });

  it.each(['../../etc/passwd', 'A'.repeat(64), '', '0'.repeat(63)])('does not take %j for a digest', async (digest) => {
    const store = new FileBlobStore(seededRandom(1), aFolder());
    await store.start(never);
    await expect(store.read(digest)).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(store.remove(digest)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('says that the disk is full', async () => {
    const store = new FileBlobStore(seededRandom(1), aFolder());
    await store.start(never);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    async function* onAFullDisk() {
      yield Buffer.from('a');
      throw full;
    }
    await expect(store.write(onAFullDisk(), 100, never)).rejects.toMatchObject({ code: 'io.disk-full' });
  });
});
