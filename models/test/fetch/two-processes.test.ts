import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireFileLock } from '../../src/fetch/file-lock.ts';
import { aFetcher, noAbort, someBytes, sourceOf } from './a-fetcher.ts';
import { answer, type FileServer, partOnly, startFileServer } from './file-server.ts';

const file = someBytes(500_000);
let server: FileServer;
let directory: string;

beforeEach(async () => {
  server = await startFileServer({ '/model': file });
  directory = await mkdtemp(join(tmpdir(), 'shoal-cache-'));
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const source = () => sourceOf(file, `${server.url}/model`);

/** A real process that fetches the file into the same cache. */
function startProcess() {
  const entry = fileURLToPath(new URL('fetch-process.ts', import.meta.url));
  return spawn(process.execPath, ['--conditions=source', entry, directory, JSON.stringify(source())], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('two processes', () => {
  it('share one download', async () => {
    // The first answer is held back until both processes are waiting for the file.
    const held = new Promise<() => void>((resolve) => {
      server.next.push((request, response) => resolve(() => answer(file, request, response)));
    });
    const first = startProcess();
    const release = await held;
    const second = startProcess();
    await once(second.stdout, 'readable');
    release();
    const paths = await Promise.all([text(first.stdout), text(second.stdout)]);
    expect(paths.map((output) => output.trim().split('\n').at(-1))).toEqual([pathIn(directory), pathIn(directory)]);
    expect(server.requests).toEqual(['GET /model']);
  });

  it('take over from one that was killed in the middle of a download, where it stopped', async () => {
    const arrived = new Promise<void>((resolve) => {
      server.next.push((request, response) => {
        partOnly(file, 200_000).handler(request, response);
        resolve();
      });
    });
    const victim = startProcess();
    await arrived;
    await untilOutput(victim.stdout, 'received 200000');
    victim.kill('SIGKILL');
    await once(victim, 'close');
    const { fetcher } = await aFetcher({ directory });
    expect(Buffer.compare(await readFile(await fetcher.fetch(source(), 'a model', noAbort)), file)).toBe(0);
    expect(server.requests).toEqual(['GET /model', 'GET /model bytes=200000-']);
  });
});

describe('the lock', () => {
  const deps = { clock: systemClock, random: systemRandom };

  it('is waited for by the next, until it is given back or the waiter gives up', async () => {
    const path = join(directory, 'lock');
    const release = await acquireFileLock(deps, path, noAbort.signal);
    const stop = new AbortController();
    const impatient = acquireFileLock(deps, path, stop.signal);
    stop.abort(new Error('no more patience'));
    await expect(impatient).rejects.toThrow('no more patience');
    const patient = acquireFileLock(deps, path, noAbort.signal);
    await release();
    await (await patient)();
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('of a host that has not touched it for long is taken over', async () => {
    const path = join(directory, 'lock');
    await mkdir(directory, { recursive: true });
    await writeFile(path, JSON.stringify({ host: 'somewhere-else', pid: 1, token: 'x' }));
    const later = { ...systemClock, nowMs: () => Date.now() + 16_000 };
    await (await acquireFileLock({ ...deps, clock: later }, path, noAbort.signal))();
  });

  it('is held by one at a time, however many want it', async () => {
    const path = join(directory, 'lock');
    let holders = 0;
    let most = 0;
    const quick = {
      ...systemClock,
      after: (name: string, _: number, callback: () => void) => systemClock.after(name, 1, callback),
    };
    const work = async () => {
      const release = await acquireFileLock({ ...deps, clock: quick }, path, noAbort.signal);
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await release();
    };
    await Promise.all(Array.from({ length: 20 }, work));
    expect(most).toBe(1);
  });
});

function pathIn(folder: string): string {
  const { sha256 } = source();
  return join(folder, 'files', sha256.slice(0, 2), sha256);
}

async function untilOutput(stream: NodeJS.ReadableStream, wanted: string): Promise<void> {
  let seen = '';
  for await (const chunk of stream) {
    seen += String(chunk);
    if (seen.includes(wanted)) return;
  }
  throw new Error(`the process ended without saying ${wanted}`);
}
