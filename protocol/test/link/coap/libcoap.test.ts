import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { seededRandom, silentLogger } from '@shoal/protocol';
import { type CoapAnswer, CoapConnection, CoapServer } from '@shoal/protocol/coap';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { afterEach, describe, expect, it } from 'vitest';
import { BlobResource } from './blob-resource.ts';
import { freeUdpPort } from './free-udp-port.ts';
import { LibcoapServer } from './libcoap-server.ts';

const run = promisify(execFile);
const client = 'coap-client-notls';
// Install it with `apt-get install libcoap3-bin`; without it these cases are counted as skipped.
const isMissing = spawnSync(client, ['-h']).error !== undefined;
const megabyte = Buffer.from(seededRandom(5).bytes(1 << 20));
const real = { clock: systemClock, random: systemRandom };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-coap-'));
  closers.push(() => rm(folder, { recursive: true }));
  return folder;
}

async function aServer() {
  const blob = new BlobResource();
  const server = new CoapServer(
    { ...real, logger: silentLogger },
    {
      host: '127.0.0.1',
      port: 0,
      limits: { maxHalfDone: 10, maxHalfDoneBytes: 8 << 20, halfDoneMs: 60_000 },
      links: [
        { path: '/blob', rt: 'test', obs: true },
        { path: '/rd', rt: 'core.rd' },
      ],
      find: ([name]) => (name === 'blob' ? blob : undefined),
    },
  );
  await server.start();
  closers.push(() => server.stop());
  return { blob, server, url: `coap://127.0.0.1:${server.port}` };
}

async function aConnection(port: number): Promise<CoapConnection> {
  const connection = new CoapConnection(real, {
    address: { host: '127.0.0.1', port, text: `127.0.0.1:${port}` },
    silenceMs: 20_000,
    maxBodyBytes: 2 << 20,
    onTrouble: () => {},
  });
  await connection.open();
  closers.push(() => connection.close());
  return connection;
}

describe.skipIf(isMissing)('libcoap’s client at our server', () => {
  it('discovers what there is, and only what it asks for', async () => {
    const { url } = await aServer();
    const all = await run(client, [`${url}/.well-known/core`]);
    expect(all.stdout.trim()).toBe('</blob>;rt="test";obs,</rd>;rt="core.rd"');
    const some = await run(client, [`${url}/.well-known/core?rt=core.*`]);
    expect(some.stdout.trim()).toBe('</rd>;rt="core.rd"');
  });

  it('puts and gets a megabyte, block-wise', async () => {
    const { blob, server, url } = await aServer();
    const folder = await aFolder();
    const [up, down] = [join(folder, 'up'), join(folder, 'down')];
    await writeFile(up, megabyte);
    await run(client, ['-m', 'put', '-f', up, '-b', '1024', `${url}/blob`]);
    expect(blob.bodies[0]?.equals(megabyte)).toBe(true);
    expect(server.halfDone).toEqual({ count: 0, sizeBytes: 0 });
    await run(client, ['-o', down, '-b', '1024', `${url}/blob`]);
    expect((await readFile(down)).equals(megabyte)).toBe(true);
  });

  it.each(['16', '64', '512'])('puts and gets in blocks of %s bytes', async (size) => {
    const { blob, url } = await aServer();
    const folder = await aFolder();
    const [up, down] = [join(folder, 'up'), join(folder, 'down')];
    const body = megabyte.subarray(0, 5_001);
    await writeFile(up, body);
    await run(client, ['-m', 'put', '-f', up, '-b', size, `${url}/blob`]);
    expect(blob.bodies[0]?.equals(body)).toBe(true);
    await run(client, ['-o', down, '-b', size, `${url}/blob`]);
    expect((await readFile(down)).equals(body)).toBe(true);
  });

  it('observes: it is told what changes', async () => {
    const { blob, url } = await aServer();
    const watching = run(client, ['-s', '1', `${url}/blob`]);
    await blob.observed;
    for (const word of ['one', 'two', 'three']) await blob.set(Buffer.from(`${word}\n`));
    expect((await watching).stdout.trim().split(/\s+/)).toEqual(['one', 'two', 'three']);
  });

  it('is told what is not there, not allowed and too large', async () => {
    const { blob, url } = await aServer();
    const file = join(await aFolder(), 'up');
    await writeFile(file, Buffer.alloc(3 << 20));
    expect((await run(client, [`${url}/nothing`])).stderr).toMatch(/4\.04/);
    expect((await run(client, ['-m', 'delete', `${url}/blob`])).stderr).toMatch(/4\.05/);
    expect((await run(client, ['-m', 'put', '-f', file, '-b', '1024', `${url}/blob`])).stderr).toMatch(/4\.13/);
    expect(blob.bodies).toEqual([]);
  });
});

describe.skipIf(isMissing)('our client at libcoap’s server', () => {
  it('discovers, puts and gets a megabyte, and is told when it changes', async () => {
    const port = await freeUdpPort();
    const server = await LibcoapServer.start(port);
    closers.push(() => server.stop());
    const connection = await aConnection(port);
    const core = await connection.request({ method: 'GET', path: '/.well-known/core' });
    expect(core.payload.toString()).toContain('</time>');

    const created = await connection.request({ method: 'PUT', path: '/big', payload: megabyte });
    expect(created.code).toBe('2.01');
    const got = await connection.request({ method: 'GET', path: '/big' });
    expect(got.payload.equals(megabyte)).toBe(true);

    const { promise: changed, resolve } = Promise.withResolvers<CoapAnswer>();
    const note = (text: string) => ({ method: 'PUT', path: '/note', payload: Buffer.from(text) }) as const;
    await connection.request(note('new'));
    expect((await connection.observe('/note', resolve)).payload.toString()).toBe('new');
    await connection.request(note('changed'));
    expect((await changed).payload.toString()).toBe('changed');
    const deleted = await connection.request({ method: 'DELETE', path: '/big' });
    expect(deleted.code).toBe('2.02');
  });
});
