import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger, type Link, type Logger, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink, topicsOf } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type Heard, listenTo, VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { aCoordinator, aDevice } from '../../support/identities.ts';
import { rejectionOf } from '../../support/refusals.ts';

const never = new AbortController().signal;
const accept = Buffer.from('20020000', 'hex');
/** SUBACK for a SUBSCRIBE: its packet id, and what was granted. */
const suback = (subscribe: Buffer, code = 0) => Buffer.of(0x90, 3, subscribe[2] ?? 0, subscribe[3] ?? 0, code);
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A broker that does exactly what a test tells it to. */
async function aScriptedBroker(onData: (socket: Socket, packet: Buffer, connection: number) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const arrived: (() => void)[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (data) => onData(socket, data, connection));
    for (const resolve of arrived.splice(0)) resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    sockets,
    get connections() {
      return connections;
    },
    /** Resolves when there were so many connections. */
    async connected(count: number) {
      while (connections < count) await new Promise<void>((resolve) => arrived.push(resolve));
    },
  };
}

const isConnect = (packet: Buffer) => packet[0] === 0x10 && packet.length < 500;
/** By its length too: a piece of a frame may begin with anything. */
const isSubscribe = (packet: Buffer) => packet[0] === 0x82 && packet.length < 100;
const welcome = (socket: Socket, packet: Buffer) => {
  if (isConnect(packet)) socket.write(accept);
  if (isSubscribe(packet)) socket.write(suback(packet));
};

interface LinkChange {
  readonly clock?: CountingClock | VirtualClock;
  readonly acceptTimeoutMs?: number;
  readonly logger?: Logger;
}

function aLink(url: string, options: LinkChange = {}) {
  const clock = options.clock ?? new CountingClock(systemClock);
  const link: Link = createMqttDeviceLink({
    url,
    identity: aDevice,
    coordinator: aCoordinator.id,
    clock,
    random: seededRandom(1),
    logger: options.logger ?? silentLogger,
    limits: {
      backoff: { firstMs: 4, maxMs: 8, factor: 2 },
      connectTimeoutMs: 10_000,
      acceptTimeoutMs: options.acceptTimeoutMs ?? 10_000,
      closeGraceMs: 100,
    },
  });
  const heard: Heard = listenTo(link);
  closers.push(async () => {
    await link.stop();
    expect(clock.pending()).toEqual([]);
  });
  return { link, heard, clock };
}

describe('an MQTT link', () => {
  it('tries again when the broker refuses it', async () => {
    const broker = await aScriptedBroker((socket, packet, connection) => {
      if (isConnect(packet)) socket.write(connection < 3 ? Buffer.from('20020005', 'hex') : accept);
      if (isSubscribe(packet)) socket.write(suback(packet));
    });
    const { link, heard } = aLink(broker.url);
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    expect(broker.connections).toBe(4);
  });

  it('says at once that the broker cannot be reached, then once a minute, and at once again after a connection', async () => {
    let refuses = true;
    const broker = await aScriptedBroker((socket, packet) => {
      if (refuses) socket.destroy();
      else welcome(socket, packet);
    });
    const clock = new VirtualClock();
    const saidMs: number[] = [];
    const logger = createLogger(() => saidMs.push(clock.monotonicMs()), 'warn');
    const { link, heard } = aLink(broker.url, { clock, logger });
    const failed = async () => {
      while (!clock.pending().some((name) => name.endsWith(': reconnect'))) await turn();
    };
    await link.start(never);
    // The waits are of some ms: the clock jumps, so that a few tries make minutes.
    for (let second = 0; second < 130; second += 7) {
      await failed();
      await clock.advance(7_000);
    }
    await failed();
    expect(broker.connections).toBeGreaterThan(12);
    expect(saidMs.map((ms) => Math.round(ms / 1_000))).toEqual([0, 63, 126]);
    refuses = false;
    await clock.advance(1_000);
    await heard.reachable(aCoordinator.id, true);
    for (const socket of broker.sockets) socket.destroy();
    await failed();
    expect(saidMs.map((ms) => Math.round(ms / 1_000))).toEqual([0, 63, 126, 134]);
  });

  it('tries again when the broker grants no subscription', async () => {
    const broker = await aScriptedBroker((socket, packet, connection) => {
      if (isConnect(packet)) socket.write(accept);
      if (isSubscribe(packet)) socket.write(suback(packet, connection < 2 ? 0x80 : 0));
    });
    const { link, heard } = aLink(broker.url);
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    expect(broker.connections).toBe(3);
  });

  it('tries again when the broker takes the connection and says nothing', async () => {
    const broker = await aScriptedBroker((socket, packet, connection) => {
      if (connection > 1) welcome(socket, packet);
    });
    const { link, heard } = aLink(broker.url, { acceptTimeoutMs: 30 });
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    expect(broker.connections).toBeGreaterThan(2);
  });

  it.each([
    ['announces a packet of 100 MB', Buffer.from('3080c2d72f', 'hex')],
    ['sends what is no MQTT', Buffer.from(`HTTP/1.1 400 Bad Request\r\n${'x'.repeat(200)}`)],
    ['sends a message at a QoS that nobody asked for', Buffer.from('32070003612f62000100', 'hex').subarray(0, 9)],
    ['closes the connection', undefined],
  ])('cuts the connection and makes another when the broker %s', async (_what, bytes) => {
    const broker = await aScriptedBroker((socket, packet, connection) => {
      welcome(socket, packet);
      if (!isSubscribe(packet) || connection > 0) return;
      if (bytes) socket.write(bytes);
      else socket.end();
    });
    const { link, heard } = aLink(broker.url);
    await link.start(never);
    await broker.connected(2);
    await heard.reachable(aCoordinator.id, true);
  });

  it('notices a broker that is silent, and pings it before', async () => {
    let pings = 0;
    const broker = await aScriptedBroker((socket, packet, connection) => {
      welcome(socket, packet);
      if (connection === 0 && packet[0] === 0xc0) pings += 1;
    });
    const clock = new VirtualClock();
    const { link, heard } = aLink(broker.url, { clock });
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    await clock.advance(20_000);
    expect(broker.connections).toBe(1);
    await clock.advance(60_000);
    await broker.connected(2);
    expect(pings).toBeGreaterThan(0);
  });

  it('answers a frame that comes in the same moment as the subscription', async () => {
    const { down } = topicsOf('shoal', aDevice.id);
    const header = Buffer.concat([
      Buffer.of(0x30, 2 + down.length + 1, 0, down.length),
      Buffer.from(down),
      Buffer.of(42),
    ]);
    const answered = Promise.withResolvers<void>();
    const broker = await aScriptedBroker((socket, packet) => {
      if (isConnect(packet)) socket.write(accept);
      else if (isSubscribe(packet)) socket.write(Buffer.concat([suback(packet), header]));
      else if (packet.includes('/up')) answered.resolve();
    });
    const { link } = aLink(broker.url);
    const outcome = new Promise<string | undefined>((resolve) => {
      link.subscribe({ onFrame: () => resolve(rejectionOf(link.send(aCoordinator.id, Uint8Array.of(43)))) });
    });
    await link.start(never);
    expect(await outcome).toBeUndefined();
    await answered.promise;
  });

  it('holds back when the broker stops reading, in bounded memory, and is whole again when it reads on', async () => {
    let reading = true;
    const broker = await aScriptedBroker((socket, packet) => {
      welcome(socket, packet);
      if (!reading) socket.pause();
    });
    const { link, heard } = aLink(broker.url);
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    for (const socket of broker.sockets) {
      reading = false;
      socket.pause();
    }
    const frame = new Uint8Array(512 * 1024);
    const outcomes: Promise<string | undefined>[] = [];
    // As much as the kernel takes, and then as much as may wait.
    for (let full = 0; full < 3 && outcomes.length < 500; ) {
      const outcome = rejectionOf(link.send(aCoordinator.id, frame));
      outcomes.push(outcome);
      const settled = await Promise.race([
        outcome,
        new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits'))),
      ]);
      if (settled === 'queue.full') full += 1;
    }
    expect(outcomes.length).toBeLessThan(500);
    reading = true;
    for (const socket of broker.sockets) socket.resume();
    const all = await Promise.all(outcomes);
    const taken = all.filter((outcome) => outcome === undefined).length;
    expect(new Set(all)).toEqual(new Set([undefined, 'queue.full']));
    expect(taken).toBeGreaterThan(7);
    expect(await rejectionOf(link.send(aCoordinator.id, Uint8Array.of(1)))).toBeUndefined();
  });

  it('gives up a send that waits when its signal is aborted or the connection ends', async () => {
    const broker = await aScriptedBroker((socket, packet) => {
      welcome(socket, packet);
      if (packet.length > 1000) socket.pause();
    });
    const { link, heard } = aLink(broker.url);
    await link.start(never);
    await heard.reachable(aCoordinator.id, true);
    const frame = new Uint8Array(1 << 20);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++)
      waiting.push(link.send(aCoordinator.id, frame, controller.signal).catch((error: unknown) => error));
    controller.abort(reason);
    expect(await Promise.all(waiting)).toContain(reason);
    const late = rejectionOf(link.send(aCoordinator.id, frame));
    for (const socket of broker.sockets) socket.destroy();
    expect(['net.unreachable', 'queue.full']).toContain(await late);
  });

  it('is stopped while it connects, and leaves nothing', async () => {
    const broker = await aScriptedBroker(() => {});
    const { link, clock } = aLink(broker.url);
    await link.start(never);
    await broker.connected(1);
    await link.stop();
    expect(clock.pending()).toEqual([]);
  });
});
