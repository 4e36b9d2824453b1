import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, type LogRecord, seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { Finder, type LocalNetwork } from '../../src/discovery/index.ts';
import { createLocalNetwork } from '../../src/discovery/real/index.ts';
import type { CameraSpec, DiscoverOptions, FoundCamera } from '../../src/domain/index.ts';
import { OnvifCamera, type OnvifCameraOptions } from './onvif-camera.ts';

// Loaded by the first search, which takes real time, while that of the test's clock goes on.
beforeAll(() => import('../../src/discovery/real/coap-links.ts'));

const address = '127.0.0.1';
const nobody = { address, port: 9 };
const login = { user: 'viewer', password: 'hunter2-is-secret' };
const random = seededRandom(1);

interface SearchOptions extends Partial<DiscoverOptions> {
  readonly cameras?: readonly { readonly id: string; readonly source: string }[];
  readonly signal?: AbortSignal;
}

/** Looks for the camera over real sockets of loopback, and goes on in time once it has answered. */
async function search(camera: OnvifCamera, { cameras = [], signal, ...options }: SearchOptions = {}) {
  const clock = new VirtualClock();
  const log: LogRecord[] = [];
  const logger = createLogger((record) => log.push(record), 'debug');
  const real = createLocalNetwork({ random, logger, interfaces: [address] });
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const network: LocalNetwork = {
    ...real,
    open: (group, heard) =>
      real.open(group, (datagram) => {
        heard(datagram);
        resolve();
      }),
  };
  const list = () => cameras.map(({ id, source }) => ({ id, spec: { source } as CameraSpec }));
  const finder = new Finder(
    { clock, random, logger, network, cameras: { list } },
    { onvif: { address: '239.255.255.250', port: camera.probePort }, mdns: nobody, coap: nobody },
  );
  const found = finder.find({ seconds: 3, ...options }, signal ?? new AbortController().signal);
  // A datagram may get lost: then time goes on until the camera is asked again.
  for (let lost = 0; lost < 2 && !(await within(answered, 1_000)); lost++) await clock.advance(1_000);
  await answered;
  await clock.advance(3_000);
  return { found: await found, log: JSON.stringify(log) };
}

/** Whether it is settled after so much of real time, ms. */
function within(settled: Promise<void>, ms: number): Promise<boolean> {
  return Promise.race([settled.then(() => true), sleep(ms, false)]);
}

async function searchFor(camera: OnvifCameraOptions, options: SearchOptions = {}) {
  await using one = await OnvifCamera.start(camera);
  return { ...(await search(one, options)), heard: one.heard };
}

const sources = (found: readonly FoundCamera[]) => found.map((one) => one.sources);

describe('a camera of ONVIF', () => {
  test('tells its streams to who logs in, however wrong its clock is, and is never sent the password', async () => {
    const { found, heard, log } = await searchFor({ address, login, clockAheadMs: -1e11 }, { login });
    expect(found).toEqual([
      {
        ...{ name: 'Front door', hardware: 'D1-566', address, via: 'onvif' },
        sources: [
          `rtsp://${address}/main?profile=1&unicast=true`,
          `rtsp://${address}/sub?profile=1&unicast=true`,
          expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/snapshot\.jpg$/),
        ],
      },
    ]);
    expect(heard.length).toBeGreaterThan(4);
    expect(heard.join('')).not.toContain(login.password);
    expect(log + JSON.stringify(found)).not.toMatch(/hunter2|in-the-uri/);
  });

  test.each([
    ['without a login', undefined, 'it tells its streams to who logs in'],
    ['with a wrong one', { ...login, password: 'wrong' }, 'it refused the login'],
  ])('that wants a login is named %s, and why it has no source', async (_, wrong, reason) => {
    const { found } = await searchFor({ address, login }, wrong ? { login: wrong } : {});
    expect(found).toMatchObject([{ name: 'Front door', sources: [], reason }]);
  });

  test('is known when a camera reads it already', async () => {
    const cameras = [
      { id: 'cam_other', source: `rtsp://${address}/elsewhere` },
      { id: 'cam_this', source: `rtsp://me:secret@${address}:554/sub?profile=1&unicast=true` },
    ];
    const { found } = await searchFor({ address }, { cameras });
    expect(found).toMatchObject([{ known: 'cam_this' }]);
    expect((await searchFor({ address })).found[0]).not.toHaveProperty('known');
  });

  test('that names streams of others has none', async () => {
    const { found } = await searchFor({ address, says: { stream: 'rtsp://10.1.2.3/theirs' } });
    expect(sources(found).flat().join()).not.toContain('10.1.2.3');
    expect(sources(found)[0]).toHaveLength(1);
  });
});

describe('a stranger that would have the coordinator call somebody else', () => {
  const victim = async () => {
    const called: string[] = [];
    // Another name for the same machine: only the name tells that it is not the stranger.
    const server = createServer((request, response) => {
      called.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.2');
    await once(server, 'listening');
    const url = `http://127.0.0.2:${(server.address() as AddressInfo).port}/admin`;
    return { called, url, [Symbol.asyncDispose]: async () => void server.close() };
  };

  test.each([
    ['its service', (url: string) => ({ says: { xAddrs: url } })],
    ['its media service', (url: string) => ({ says: { media: url } })],
    ['where it redirects to', (url: string) => ({ redirectTo: url })],
  ])('by %s has no source, and nobody else is called', async (_, lie) => {
    await using other = await victim();
    const { found } = await searchFor({ address, ...lie(other.url) }, { login });
    expect(found).toMatchObject([{ address, sources: [], reason: expect.any(String) }]);
    expect(other.called).toEqual([]);
  });
});

describe('a search', () => {
  test('goes on when what is heard cannot be read', async () => {
    await using camera = await OnvifCamera.start({ address });
    const noise = createSocket({ type: 'udp4', reuseAddr: true });
    noise.bind(camera.probePort, '239.255.255.250');
    await once(noise, 'listening');
    noise.addMembership('239.255.255.250', address);
    noise.on('message', (_bytes, from) => noise.send('<!DOCTYPE a>', from.port, from.address));
    const clock = new VirtualClock();
    const real = createLocalNetwork({ random, logger: createLogger(() => {}, 'info'), interfaces: [address] });
    const { promise: both, resolve } = Promise.withResolvers<void>();
    let datagrams = 0;
    const network: LocalNetwork = {
      ...real,
      open: (group, heard) =>
        real.open(group, (datagram) => {
          heard(datagram);
          datagrams += 1;
          if (datagrams === 2) resolve();
        }),
    };
    const finder = new Finder(
      { clock, random, logger: createLogger(() => {}, 'info'), network, cameras: { list: () => [] } },
      { onvif: { address: '239.255.255.250', port: camera.probePort }, mdns: nobody, coap: nobody },
    );
    const found = finder.find({ seconds: 3 }, new AbortController().signal);
    await both;
    await clock.advance(3_000);
    expect(await found).toMatchObject([{ name: 'Front door' }]);
    noise.close();
  });

  test('ends when nobody waits for it, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const network = createLocalNetwork({ random, logger: createLogger(() => {}, 'info'), interfaces: [address] });
    const deps = { clock, random, logger: createLogger(() => {}, 'info'), network, cameras: { list: () => [] } };
    const finder = new Finder(deps, { onvif: nobody, mdns: nobody, coap: nobody });
    const gone = new AbortController();
    const searches = [1, 2].map(() => finder.find({ seconds: 3 }, gone.signal));
    await expect(finder.find({ seconds: 3 }, gone.signal)).rejects.toMatchObject({ code: 'rate-limited' });
    gone.abort();
    for (const each of searches) await expect(each).rejects.toBe(gone.signal.reason);
    expect(clock.pending()).toEqual([]);
  });

  test('is refused where there is no network', async () => {
    const deps = {
      clock: new VirtualClock(),
      random,
      logger: createLogger(() => {}, 'info'),
      cameras: { list: () => [] },
    };
    await expect(new Finder(deps).find({ seconds: 1 }, new AbortController().signal)).rejects.toMatchObject({
      code: 'net.unreachable',
    });
  });
});
