import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FetchProgress } from '../../src/fetch/index.ts';
import { aFetcher, noAbort, someBytes, sourceOf } from './a-fetcher.ts';
import { answer, type FileServer, partOnly, startFileServer } from './file-server.ts';

const file = someBytes(300_000);
let server: FileServer;
const folders: string[] = [];

beforeEach(async () => {
  server = await startFileServer({ '/model': file });
});

afterEach(async () => {
  await server.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function made(options: Parameters<typeof aFetcher>[0] = {}) {
  const parts = await aFetcher(options);
  folders.push(parts.directory);
  return parts;
}

const source = () => sourceOf(file, `${server.url}/model`);
const partOf = (directory: string) => join(directory, 'parts', `${source().sha256}.part`);

describe('a file from the web', () => {
  it('arrives whole in the cache under its digest, with progress', async () => {
    const { fetcher, cache } = await made();
    const progress: FetchProgress[] = [];
    const path = await fetcher.fetch(source(), 'a model', { ...noAbort, onProgress: (one) => progress.push(one) });
    expect(path).toBe(cache.pathOf(source().sha256));
    expect(Buffer.compare(await readFile(path), file)).toBe(0);
    expect(progress.at(-1)).toEqual({ name: 'a model', receivedBytes: file.length, totalBytes: file.length });
    expect(progress.map((one) => one.receivedBytes)).toEqual(
      progress.map((one) => one.receivedBytes).sort((a, b) => a - b),
    );
  });

  it('needs no network the second time', async () => {
    const { fetcher } = await made();
    const first = await fetcher.fetch(source(), 'a model', noAbort);
    await server.close();
    expect(await fetcher.fetch(source(), 'a model', noAbort)).toBe(first);
    expect(server.requests).toEqual(['GET /model']);
  });

  it('is fetched anew when the copy in the cache was damaged', async () => {
    const { fetcher } = await made();
    const path = await fetcher.fetch(source(), 'a model', noAbort);
    await writeFile(path, someBytes(file.length, 2));
    expect(Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', noAbort)), file)).toBe(0);
    expect(server.requests).toHaveLength(2);
  });

  it('is continued where the connection was cut, twice', async () => {
    const { fetcher } = await made();
    const [first, second] = [partOnly(file, 100_000), partOnly(file, 50_000)];
    server.next.push(first.handler, second.handler);
    const onProgress = ({ receivedBytes }: FetchProgress) => {
      if (receivedBytes === 100_000) first.cut();
      if (receivedBytes === 150_000) second.cut();
    };
    const path = await fetcher.fetch(source(), 'a model', { ...noAbort, onProgress });
    expect(Buffer.compare(await readFile(path), file)).toBe(0);
    expect(server.requests).toEqual(['GET /model', 'GET /model bytes=100000-', 'GET /model bytes=150000-']);
  });

  it('is continued by the next call when the first was stopped', async () => {
    const { fetcher, directory } = await made();
    const stop = new AbortController();
    server.next.push(partOnly(file, 120_000).handler);
    const onProgress = ({ receivedBytes }: FetchProgress) => {
      if (receivedBytes === 120_000) stop.abort();
    };
    await expect(fetcher.fetch(source(), 'a model', { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: 'aborted',
    });
    const second = await aFetcher({ directory });
    await second.fetcher.fetch(source(), 'a model', noAbort);
    expect(server.requests).toEqual(['GET /model', 'GET /model bytes=120000-']);
  });

  it('is fetched from its beginning when the server knows no Range', async () => {
    const { fetcher } = await made();
    const first = partOnly(file, 100_000);
    server.next.push(first.handler, (_, response) => response.writeHead(200).end(file));
    const onProgress = ({ receivedBytes }: FetchProgress) => {
      if (receivedBytes === 100_000) first.cut();
    };
    expect(
      Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', { ...noAbort, onProgress })), file),
    ).toBe(0);
    expect(server.requests).toEqual(['GET /model', 'GET /model bytes=100000-']);
  });

  it('is fetched once more when what was continued turns out to be wrong', async () => {
    const { fetcher, directory } = await made();
    await mkdir(join(directory, 'parts'), { recursive: true });
    await writeFile(partOf(directory), someBytes(1_000, 9));
    expect(Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', noAbort)), file)).toBe(0);
    expect(server.requests).toEqual(['GET /model bytes=1000-', 'GET /model']);
  });

  it.each([
    ['as long as the file', file.length],
    ['longer than the file', file.length + 5],
  ])('is fetched anew over a wrong beginning %s', async (_, length) => {
    const { fetcher, directory } = await made();
    await mkdir(join(directory, 'parts'), { recursive: true });
    await writeFile(partOf(directory), someBytes(length, 9));
    expect(Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', noAbort)), file)).toBe(0);
  });

  it.each([
    ['other bytes of the same length', someBytes(file.length, 2)],
    ['more bytes', someBytes(file.length + 1)],
    ['no end of bytes', someBytes(3_000_000)],
  ])('is refused and not kept when the server sends %s', async (_, wrong) => {
    const { fetcher, cache, directory } = await made();
    server.next.push((request, response) => answer(wrong, request, response));
    await expect(fetcher.fetch(source(), 'a model', noAbort)).rejects.toMatchObject({
      code: 'model.digest',
      message: expect.stringContaining('a model'),
    });
    expect(await cache.list()).toEqual([]);
    expect(await readdir(join(directory, 'parts'))).toEqual([]);
  });

  it('is asked for again after the server was busy', async () => {
    const { fetcher } = await made();
    server.next.push((_, response) => response.writeHead(503).end());
    await fetcher.fetch(source(), 'a model', noAbort);
    expect(server.requests).toHaveLength(2);
  });

  it('is said not to be there, at once, when it is not', async () => {
    const { fetcher } = await made();
    await expect(fetcher.fetch({ ...source(), url: `${server.url}/other` }, 'a model', noAbort)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('follows a redirect, but not to an unprotected address elsewhere', async () => {
    const { fetcher } = await made();
    server.next.push((_, response) => response.writeHead(302, { location: '/model' }).end());
    await fetcher.fetch(source(), 'a model', noAbort);
    const other = { ...sourceOf(someBytes(10), `${server.url}/else`) };
    server.next.push((_, response) => response.writeHead(302, { location: 'http://192.0.2.1/else' }).end());
    await expect(fetcher.fetch(other, 'another', noAbort)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('says what to do when there is no network', async () => {
    const { fetcher } = await made();
    await server.close();
    const failure = fetcher.fetch(source(), 'a model', noAbort);
    await expect(failure).rejects.toMatchObject({
      code: 'net.unreachable',
      message: expect.stringContaining('check the network'),
    });
  });

  it.skipIf(process.platform !== 'linux')('says when the disk is full, and leaves nothing on it', async () => {
    const { fetcher, directory } = await made();
    await mkdir(join(directory, 'parts'), { recursive: true });
    // The kernel's own full disk: every write fails with ENOSPC.
    await symlink('/dev/full', partOf(directory));
    await expect(fetcher.fetch(source(), 'a model', noAbort)).rejects.toMatchObject({
      code: 'io.disk-full',
      message: expect.stringContaining('no space is left for a model'),
    });
    expect(await readdir(join(directory, 'parts'))).toEqual([]);
  });

  it('gives up a server that has gone silent', async () => {
    let fire = () => {};
    const clock: Clock = {
      ...systemClock,
      after: (name, delayMs, callback) => {
        if (name === 'idle download') fire = callback;
        return name === 'idle download' ? () => {} : systemClock.after(name, delayMs / 1_000, callback);
      },
    };
    const { fetcher } = await made({ clock });
    server.next.push(partOnly(file, 1_000).handler);
    const onProgress = () => {
      if (server.requests.length === 1) setImmediate(() => fire());
    };
    await fetcher.fetch(source(), 'a model', { ...noAbort, onProgress });
    expect(server.requests).toEqual(['GET /model', 'GET /model bytes=1000-']);
  });
});

describe('callers at the same time', () => {
  it('share one download in one process, and all see its progress', async () => {
    const { fetcher } = await made();
    const seen = [0, 0, 0];
    const paths = await Promise.all(
      seen.map((_, i) => {
        const onProgress = () => {
          seen[i] = (seen[i] ?? 0) + 1;
        };
        return fetcher.fetch(source(), 'a model', { ...noAbort, onProgress });
      }),
    );
    expect(new Set(paths).size).toBe(1);
    expect(server.requests).toEqual(['GET /model']);
    expect(Math.min(...seen)).toBeGreaterThan(0);
  });

  it('may leave without stopping the others', async () => {
    const { fetcher } = await made();
    const stop = new AbortController();
    const leaving = fetcher.fetch(source(), 'a model', { signal: stop.signal, onProgress: () => stop.abort() });
    const staying = fetcher.fetch(source(), 'a model', noAbort);
    await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
    expect(Buffer.compare(await readFile(await staying), file)).toBe(0);
    expect(server.requests).toEqual(['GET /model']);
  });

  it('stop the download when the last has left, and a new caller begins again', async () => {
    const { fetcher } = await made();
    const stop = new AbortController();
    const closed = new Promise<void>((resolve) => {
      server.next.push((request, response) => {
        partOnly(file, 1_000).handler(request, response);
        request.socket.once('close', () => resolve());
      });
    });
    const leaving = fetcher.fetch(source(), 'a model', { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
    await closed;
    expect(Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', noAbort)), file)).toBe(0);
  });

  it('of two caches over one folder share one download', async () => {
    const first = await made();
    const second = await aFetcher({ directory: first.directory });
    const both = await Promise.all([first, second].map(({ fetcher }) => fetcher.fetch(source(), 'a model', noAbort)));
    expect(both[0]).toBe(both[1]);
    expect(server.requests).toEqual(['GET /model']);
  });
});

describe('a file of this machine', () => {
  it('is copied into the cache and checked', async () => {
    const { fetcher, directory, cache } = await made();
    const path = join(directory, 'my-model.onnx');
    await writeFile(path, file);
    expect(await fetcher.fetch(sourceOf(file, `file:${path}`), 'a model', noAbort)).toBe(cache.pathOf(source().sha256));
    expect(
      await fetcher.fetch(sourceOf(someBytes(5, 7), `file:${path}`), 'other', noAbort).catch((error) => error),
    ).toMatchObject({ code: 'model.digest' });
    await writeFile(path, someBytes(file.length, 3));
    const changed = sourceOf(someBytes(file.length, 4), `file:${path}`);
    expect(await fetcher.fetch(changed, 'other', noAbort).catch((error) => error)).toMatchObject({
      code: 'model.digest',
    });
    await truncate(path, 0);
    expect(await cache.list()).toEqual([source().sha256]);
  });

  it.each([
    ['of the same size', someBytes(file.length, 3)],
    ['of another size', someBytes(5, 3)],
  ])('that is another one %s is refused with its path and both digests, and stays where it is', async (_, other) => {
    const { fetcher, directory } = await made();
    const path = join(directory, 'my-model.onnx');
    await writeFile(path, other);
    const error = await fetcher.fetch(sourceOf(file, `file:${path}`), 'my-model', noAbort).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'model.digest' });
    for (const fact of ['my-model', path, source().sha256, sourceOf(other, '').sha256])
      expect(error.message).toContain(fact);
    expect(Buffer.compare(await readFile(path), other)).toBe(0);
    expect(await readdir(join(directory, 'temporary')).catch(() => [])).toEqual([]);
  });

  it('is said to be missing when it is', async () => {
    const { fetcher } = await made();
    const missing = { ...source(), url: 'file:/nowhere/at/all.onnx' };
    await expect(fetcher.fetch(missing, 'a model', noAbort)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('an address', () => {
  it.each([
    ['http://example.org/model'],
    ['ftp://example.org/model'],
    ['npm:package/without/version'],
    ['npm:package@1.0.0/../../etc/passwd'],
    ['npm:package@1.0.0/a/./b'],
    ['file:'],
    [''],
  ])('%s is refused', async (url) => {
    const { fetcher } = await made();
    await expect(fetcher.fetch({ ...source(), url }, 'a model', noAbort)).rejects.toMatchObject({
      code: 'input.invalid',
      facts: { field: 'url' },
    });
  });
});
