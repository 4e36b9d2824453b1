import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { makeKeyProof, newIdentity, seededRandom, silentLogger, utf8 } from '@shoal/protocol';
import { CoapConnection, type CoapCoordinatorLinkLimits, createCoapCoordinatorLink } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import { listenTo } from '@shoal/protocol/testing';
import { CoapClient } from 'node-coap-client';
import { afterEach, describe, expect, it } from 'vitest';

const never = new AbortController().signal;
const random = seededRandom(9);
const device = newIdentity('device', random);
const other = newIdentity('device', random);
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aCoordinator(limits: Partial<CoapCoordinatorLinkLimits> = {}, isMember = (_id: string) => true) {
  const common = { clock: systemClock, random, logger: silentLogger };
  const link = createCoapCoordinatorLink({ ...common, host: '127.0.0.1', port: 0, limits, isMember });
  const heard = listenTo(link);
  await link.start(never);
  closers.push(() => link.stop());
  return { link, heard, client: () => aClient(link.port) };
}

async function aClient(port: number): Promise<CoapConnection> {
  const connection = new CoapConnection(
    { clock: systemClock, random },
    {
      address: { host: '127.0.0.1', port, text: 'the coordinator' },
      silenceMs: 5_000,
      maxBodyBytes: 1 << 20,
      onTrouble: () => {},
    },
  );
  await connection.open();
  closers.push(() => connection.close());
  return connection;
}

/** One made in the same millisecond would be the same one, and good no more. */
let proofs = 0;

function aProof(identity = device): string {
  proofs += 1;
  return makeKeyProof('shoal-coap-v1', identity, Date.now() + proofs);
}

function registering(identity = device, proof = aProof(identity), lifetimeS = 30) {
  return { method: 'POST', path: '/rd', query: `ep=${identity.id}&lt=${lifetimeS}`, payload: utf8(proof) } as const;
}

async function registered(client: CoapConnection, identity = device): Promise<string> {
  const { code, options } = await client.request(registering(identity));
  expect(code).toBe('2.01');
  return `/${options.texts(8).join('/')}`;
}

describe('a registration', () => {
  it.each([
    ['without a proof', () => registering(device, '')],
    ['with the proof of another key', () => registering(device, makeKeyProof('shoal-coap-v1', other, Date.now()))],
    ['with a proof made for MQTT', () => registering(device, makeKeyProof('shoal-mqtt-v1', device, Date.now()))],
    ['of a coordinator', () => registering(newIdentity('coordinator', random))],
  ])('%s is refused', async (_name, request) => {
    const { link, client } = await aCoordinator();
    expect((await (await client()).request(request())).code).toBe('4.03');
    expect(link.devices).toBe(0);
  });

  it('is given to a device whose clock is wrong, unless it is there with one that was right', async () => {
    const { link, client } = await aCoordinator();
    const at = (nowMs: number) => registering(device, makeKeyProof('shoal-coap-v1', device, nowMs));
    for (const nowMs of [60_000, 60_001, Date.now() + 10 * 365 * 86_400_000, Date.now()])
      expect((await (await client()).request(at(nowMs))).code).toBe('2.01');
    expect((await (await client()).request(at(60_002))).code).toBe('4.03');
    expect(link.devices).toBe(1);
  });

  it('is given for a proof once', async () => {
    const { client } = await aCoordinator();
    const request = registering();
    expect((await (await client()).request(request)).code).toBe('2.01');
    expect((await (await client()).request(request)).code).toBe('4.03');
  });

  it('is worth nothing to another address, and nothing any more when its device has made another', async () => {
    const { client } = await aCoordinator();
    const [mine, theirs] = [await client(), await client()];
    const place = await registered(mine);
    const post = { method: 'POST', path: `${place}/up`, query: 'n=1', payload: utf8('hello') } as const;
    expect((await theirs.request(post)).code).toBe('4.04');
    expect((await theirs.request({ method: 'DELETE', path: place })).code).toBe('4.04');
    expect((await mine.request(post)).code).toBe('2.04');
    await registered(theirs);
    expect((await mine.request({ ...post, query: 'n=2' })).code).toBe('4.04');
  });

  it('is refused when there are as many as there may be, and there is room when one has left', async () => {
    const { link, client } = await aCoordinator({ maxDevices: 1 });
    const [one, two] = [await client(), await client()];
    const place = await registered(one);
    expect((await two.request(registering(other))).code).toBe('5.03');
    expect((await one.request({ method: 'DELETE', path: place })).code).toBe('2.02');
    expect((await two.request(registering(other))).code).toBe('2.01');
    expect(link.devices).toBe(1);
  });

  it('of strangers without number keeps no member out, and none of them for long', async () => {
    const members = [device.id, other.id];
    const { link, client } = await aCoordinator({ maxDevices: 4, maxStrangers: 3 }, (id) => members.includes(id));
    const connection = await client();
    const place = await registered(connection);
    for (let n = 0; n < 10; n++) await registered(connection, newIdentity('device', random));
    expect(link.devices).toBe(4);
    await registered(connection, other);
    expect(link.devices).toBe(4);
    expect((await connection.request({ method: 'POST', path: place })).code).toBe('2.04');
  });

  it('ends when the device is cut off', async () => {
    const { link, heard, client } = await aCoordinator();
    const connection = await client();
    const place = await registered(connection);
    await connection.observe(`${place}/down`, () => {});
    await heard.reachable(device.id, true);
    link.cut(device.id);
    await heard.reachable(device.id, false);
    expect((await connection.request({ method: 'POST', path: place })).code).toBe('4.04');
  });

  it('lapses when its device says nothing, and the coordinator is told', async () => {
    const { link, heard, client } = await aCoordinator();
    const connection = await client();
    const { options } = await connection.request(registering(device, undefined, 1));
    await connection.observe(`/${options.texts(8).join('/')}/down`, () => {});
    await heard.reachable(device.id, true);
    await connection.close();
    await heard.reachable(device.id, false);
    expect(link.devices).toBe(0);
  });
});

describe('a frame that comes up', () => {
  it('twice is taken once', async () => {
    const { heard, client } = await aCoordinator();
    const connection = await client();
    const path = `${await registered(connection)}/up`;
    for (const number of [1, 1, 2, 1]) {
      const post = { method: 'POST', path, query: `n=${number}`, payload: Uint8Array.of(number) } as const;
      expect((await connection.request(post)).code).toBe('2.04');
    }
    expect([...(await heard.next()).bytes, ...(await heard.next()).bytes]).toEqual([1, 2]);
    expect(heard.count).toBe(2);
  });

  it('without a number is refused, and so is one for no registration before its second block', async () => {
    const { heard, client } = await aCoordinator();
    const connection = await client();
    const path = `${await registered(connection)}/up`;
    expect((await connection.request({ method: 'POST', path, payload: utf8('x') })).code).toBe('4.00');
    const large = { method: 'POST', path: '/rd/unknown/up', query: 'n=1', payload: new Uint8Array(5_000) } as const;
    expect((await connection.request(large)).code).toBe('4.04');
    expect(heard.count).toBe(0);
  });

  it('that is too large is refused at the size that it announces', async () => {
    const { heard, client } = await aCoordinator({ maxFrameBytes: 4_000 });
    const connection = await client();
    const path = `${await registered(connection)}/up`;
    const payload = new Uint8Array(4_001);
    expect((await connection.request({ method: 'POST', path, query: 'n=1', payload })).code).toBe('4.13');
    expect(heard.count).toBe(0);
  });
});

describe('a frame that goes down', () => {
  it('goes with the answer to one that came up, and comes again when nothing is heard of it', async () => {
    const { link, heard, client } = await aCoordinator();
    const connection = await client();
    const place = await registered(connection);
    const notified: string[] = [];
    const { promise: again, resolve } = Promise.withResolvers<void>();
    await connection.observe(`${place}/down`, ({ payload }) => {
      notified.push(payload.toString());
      resolve();
    });
    await heard.reachable(device.id, true);
    link.subscribe({ onFrame: () => void link.send(device.id, utf8('answer')) });
    const answer = await connection.request({ method: 'POST', path: `${place}/up`, query: 'n=1' });
    expect([answer.code, answer.payload.toString(), answer.options.first(4)?.toString()]).toEqual([
      '2.04',
      'answer',
      '1',
    ]);
    expect(notified).toEqual([]);
    await again;
    expect(notified).toEqual(['answer']);
  });
});

describe('what is no request of ours', () => {
  it('is answered as RFC 7252 says', async () => {
    const { link, client } = await aCoordinator();
    const connection = await client();
    expect((await connection.request({ method: 'PUT', path: '/rd' })).code).toBe('4.05');
    expect((await connection.request({ method: 'GET', path: '/other' })).code).toBe('4.04');
    expect((await connection.request({ method: 'GET', path: '/.well-known/core' })).payload.toString()).toBe(
      '</rd>;rt="core.rd";title="Shoal: devices register here"',
    );
    // An option that may not be passed over (If-Match), on a confirmable GET without a path.
    const answer = await rawAnswer(link.port, Buffer.from('400100011161', 'hex'));
    expect(answer.toString('hex', 0, 4)).toBe('60820001');
  });

  it('is not kept when it is a part of what fits into one datagram', async () => {
    const { link } = await aCoordinator();
    // The first block of 16 bytes of a POST to /rd.
    const datagram = Buffer.concat([Buffer.from('40020001b27264d10308ff', 'hex'), Buffer.alloc(16)]);
    expect((await rawAnswer(link.port, datagram)).toString('hex', 0, 4)).toBe('60820001');
  });

  it('pings and gets from another implementation', async () => {
    const { link } = await aCoordinator();
    const url = `coap://127.0.0.1:${link.port}`;
    closers.push(async () => CoapClient.reset());
    expect(await CoapClient.ping(url)).toBe(true);
    const { code, payload } = await CoapClient.request(`${url}/.well-known/core`, 'get');
    expect([code.toString(), payload?.toString()]).toEqual(['2.05', expect.stringContaining('core.rd')]);
  });

  it('may be anything at all: the server goes on, and holds nothing of it', async () => {
    const { link, client } = await aCoordinator();
    const socket = createSocket('udp4');
    for (let i = 0; i < 5_000; i++) {
      const bytes = Buffer.from(random.bytes(Math.floor(random.next() * 200)));
      // Most are thrown away for their version: the others are what is meant.
      if (bytes.length > 1 && i % 4 !== 0) bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x38);
      socket.send(bytes, link.port, '127.0.0.1');
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    await registered(await client());
    expect(link.devices).toBe(1);
  });
});

async function rawAnswer(port: number, datagram: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  socket.send(datagram, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer;
}
