import { X509Certificate } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { type Link, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { listenTo, VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  createEmbeddedBroker,
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  type ListenerKind,
} from '../../src/broker/index.ts';
import { makeOwnTls } from '../../src/broker/real/index.ts';

const never = new AbortController().signal;
const random = seededRandom(31);
const coordinator = newIdentity('coordinator', random);
const impostor = newIdentity('coordinator', random);
const device = newIdentity('device', random);
const allKinds = ['mqtt', 'mqtts', 'ws', 'wss'] as const;
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aBroker(options: Partial<EmbeddedBrokerOptions> = {}): Promise<EmbeddedBroker> {
  const broker = createEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    also: { mqtts: 0, ws: 0, wss: 0 },
    tls: makeOwnTls(coordinator),
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  closers.push(() => broker.stop());
  await broker.start(never);
  await broker.link().start(never);
  return broker;
}

function portOf(broker: EmbeddedBroker, kind: ListenerKind): number {
  return broker.listening.find((each) => each.kind === kind)?.port ?? 0;
}

function aDeviceLink(url: string): Link {
  const link = createMqttDeviceLink({
    url,
    identity: device,
    coordinator: coordinator.id,
    clock: systemClock,
    logger: silentLogger,
    limits: { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 100 },
  });
  closers.push(() => link.stop());
  return link;
}

async function aSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  closers.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket.resume();
}

/** Something with TLS at an address that a device was told; says how many bytes of a device it got to see. */
async function aTlsServer(tls: { key: string | Buffer; cert: string | Buffer }) {
  let seenBytes = 0;
  const refused = Promise.withResolvers<void>();
  const server = createTlsServer(tls, (socket) => {
    socket.on('data', (data) => (seenBytes += data.length));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  server.on('connection', (socket) => socket.on('close', () => refused.resolve()));
  await once(server, 'listening');
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    refused: refused.promise,
    seenBytes: () => seenBytes,
  };
}

/** Reset or ended, it is gone. */
function closed(socket: EventEmitter): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('whom a device takes for its broker', () => {
  it.each(['mqtts', 'wss'] as const)('over %s: one whose certificate its coordinator signed', async (kind) => {
    const broker = await aBroker();
    const heard = listenTo(broker.link());
    const link = aDeviceLink(`${kind}://127.0.0.1:${portOf(broker, kind)}`);
    await link.start(never);
    await heard.reachable(device.id, true);
  });

  it('the same one after a restart, with a new certificate', async () => {
    const first = await aBroker();
    const port = portOf(first, 'mqtts');
    const link = aDeviceLink(`mqtts://127.0.0.1:${port}`);
    const heard = listenTo(link);
    await link.start(never);
    await heard.reachable(coordinator.id, true);
    await first.stop();
    await heard.reachable(coordinator.id, false);
    await aBroker({ also: { mqtts: port } });
    await heard.reachable(coordinator.id, true);
  });

  it.each(['mqtts', 'wss'])(
    'over %s: nobody whose certificate another coordinator signed, and says not a byte',
    async (kind) => {
      const server = await aTlsServer(makeOwnTls(impostor));
      await aDeviceLink(`${kind}://127.0.0.1:${server.port}`).start(never);
      await server.refused;
      expect(server.seenBytes()).toBe(0);
    },
  );

  it('nobody who writes the coordinator’s name into a certificate of their own', async () => {
    const server = await aTlsServer(makeOwnTls({ ...coordinator, sign: impostor.sign }));
    await aDeviceLink(`mqtts://127.0.0.1:${server.port}`).start(never);
    await server.refused;
    expect(server.seenBytes()).toBe(0);
  });

  it('the one whose fingerprint the address names, and no other', async () => {
    const tls = makeOwnTls(impostor);
    const sha256 = new X509Certificate(tls.cert).fingerprint256;
    const broker = await aBroker({ tls });
    const heard = listenTo(broker.link());
    const url = `mqtts://127.0.0.1:${portOf(broker, 'mqtts')}#sha256=`;
    const link = aDeviceLink(url + sha256);
    await link.start(never);
    await heard.reachable(device.id, true);
    // The coordinator's own key does not stand against the fingerprint.
    const other = await aTlsServer(makeOwnTls(coordinator));
    await aDeviceLink(`mqtts://127.0.0.1:${other.port}#sha256=${sha256}`).start(never);
    await other.refused;
    expect(other.seenBytes()).toBe(0);
  });
});

describe('who comes in and says nothing', () => {
  const starts = { mqtt: '107f', mqtts: '160301', ws: '474554202f', wss: '160301' };

  it.each(
    allKinds.flatMap((kind) => [
      [kind, ''],
      [kind, starts[kind]],
    ]),
  )('is cut off in time: %s "%s"', async (kind, start) => {
    const clock = new VirtualClock();
    const broker = await aBroker({ clock });
    const socket = await aSocket(portOf(broker, kind as ListenerKind));
    socket.write(Buffer.from(start, 'hex'));
    while (broker.connections < 1) await turn();
    await clock.advance(9_999);
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    await closed(socket);
  });

  it('is cut off in time after TLS and after the upgrade to a WebSocket, too', async () => {
    const clock = new VirtualClock();
    const broker = await aBroker({ clock });
    const secured = connectTls({ port: portOf(broker, 'mqtts'), host: '127.0.0.1', rejectUnauthorized: false });
    secured.on('error', () => {});
    secured.resume();
    await once(secured, 'secureConnect');
    const upgraded = new WebSocket(`ws://127.0.0.1:${portOf(broker, 'ws')}`, 'mqtt');
    upgraded.on('error', () => {});
    await once(upgraded, 'open');
    const ends = [closed(secured), closed(upgraded)];
    await clock.advance(10_000);
    await Promise.all(ends);
  });

  it('a device that was let in stays', async () => {
    const clock = new VirtualClock({ startMs: Date.now() });
    const broker = await aBroker({ clock });
    const heard = listenTo(broker.link());
    const link = aDeviceLink(`ws://127.0.0.1:${portOf(broker, 'ws')}`);
    await link.start(never);
    await heard.reachable(device.id, true);
    const silent = await aSocket(portOf(broker, 'ws'));
    while (broker.connections < 2) await turn();
    await clock.advance(10_000);
    await closed(silent);
    await heard.reachable(device.id, true);
    expect(broker.connections).toBe(1);
  });
});

describe('what the WebSocket takes before anybody was let in', () => {
  it('a few kilobytes, however large a message is announced', async () => {
    const broker = await aBroker();
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(broker, 'ws')}`, 'mqtt');
    socket.on('error', () => {});
    await once(socket, 'open');
    socket.send(Buffer.alloc(512 * 1024));
    await closed(socket);
  });

  it('the subprotocol of MQTT only', async () => {
    const broker = await aBroker();
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(broker, 'ws')}`, 'chat');
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('subprotocol');
  });

  it('no other HTTP: it is told what is spoken here', async () => {
    const broker = await aBroker();
    const response = await fetch(`http://127.0.0.1:${portOf(broker, 'ws')}/`);
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
    expect(await response.text()).toContain('MQTT');
  });
});

describe('the ways in together', () => {
  it('share one limit', async () => {
    const broker = await aBroker({ limits: { maxConnections: 2 } });
    await aSocket(portOf(broker, 'mqtt'));
    await aSocket(portOf(broker, 'ws'));
    await closed(await aSocket(portOf(broker, 'mqtts')));
    expect(broker.connections).toBe(2);
  });

  it('are known in the order in which a device should try them, and not before the start', async () => {
    const broker = await aBroker();
    expect(broker.listening.map(({ kind }) => kind)).toEqual(['mqtts', 'mqtt', 'wss', 'ws']);
    const idle = createEmbeddedBroker({ host: '127.0.0.1', port: 0, clock: systemClock, logger: silentLogger });
    expect(idle.listening).toEqual([]);
  });

  it('all end when the broker does', async () => {
    const broker = await aBroker();
    const sockets = await Promise.all(allKinds.map((kind) => aSocket(portOf(broker, kind))));
    const ends = sockets.map((socket) => closed(socket));
    await broker.stop();
    await Promise.all(ends);
    expect(broker.connections).toBe(0);
  });

  it('none is open when the port of one is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    closers.push(() => taken.close());
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const options = { host: '127.0.0.1', port: 0, also: { ws: port }, clock: systemClock, logger: silentLogger };
    const broker = createEmbeddedBroker(options);
    await expect(broker.start(never)).rejects.toMatchObject({ code: 'conflict', facts: { port } });
    expect(broker.listening).toEqual([]);
  });

  it('TLS without a key is an error that says so', async () => {
    const options = { host: '127.0.0.1', port: 0, also: { mqtts: 0 }, clock: systemClock, logger: silentLogger };
    await expect(createEmbeddedBroker(options).start(never)).rejects.toMatchObject({ code: 'input.invalid' });
  });
});
