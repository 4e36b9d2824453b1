import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type Identity, makeKeyProof, newIdentity, type Random, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink, encodePublishHeader, topicsOf } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { listenTo } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmbeddedBroker, type EmbeddedBroker, type EmbeddedBrokerOptions } from '../../src/broker/index.ts';

const never = new AbortController().signal;
const random: Random = seededRandom(11);
const coordinator = newIdentity('coordinator', random);
const device = newIdentity('device', random);
const other = newIdentity('device', random);
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aBroker(options: Partial<EmbeddedBrokerOptions> = {}): Promise<EmbeddedBroker> {
  const broker = createEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  closers.push(() => broker.stop());
  await broker.start(never);
  await broker.link().start(never);
  return broker;
}

/** MQTT as bytes, so that a test can say what no library would. */
class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake = () => {};

  static async to(broker: EmbeddedBroker): Promise<RawClient> {
    const socket = connect(broker.port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new RawClient(socket);
    closers.push(async () => socket.destroy());
    return client;
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  write(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next bytes, as hex; `closed` when the broker has cut the connection instead. */
  async next(length: number): Promise<string> {
    while (this.#received.length < length) {
      if (this.#closed) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes.toString('hex');
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
}

function packet(first: number, body: Buffer): Buffer {
  const { length } = body;
  return Buffer.concat([
    length < 128 ? Buffer.of(first, length) : Buffer.of(first, (length & 127) | 128, length >> 7),
    body,
  ]);
}

function connectPacket(
  identity: Identity,
  change: { clientId?: string; username?: string; password?: string; will?: string; clean?: boolean } = {},
): Buffer {
  const { clientId = identity.id, username = identity.id, will, clean = true } = change;
  const password = change.password ?? makeKeyProof('shoal-mqtt-v1', identity, Date.now());
  const flags = 0xc0 | (clean ? 2 : 0) | (will === undefined ? 0 : 0x24);
  const willFields = will === undefined ? [] : [text(will), text('offline')];
  return packet(
    0x10,
    Buffer.concat([
      text('MQTT'),
      Buffer.of(4, flags, 0, 60),
      text(clientId),
      ...willFields,
      text(username),
      text(password),
    ]),
  );
}

const subscribePacket = (filter: string, qos = 0) =>
  packet(0x82, Buffer.concat([Buffer.of(0, 1), text(filter), Buffer.of(qos)]));
const publishPacket = (topic: string, payload: Uint8Array) =>
  Buffer.concat([encodePublishHeader(topic, payload.length), payload]);
const accepted = '20020000';
const badCredentials = '20020004';
const ping = Buffer.from('c000', 'hex');
const pong = 'd000';

async function aConnectedDevice(broker: EmbeddedBroker, identity = device): Promise<RawClient> {
  const client = await RawClient.to(broker);
  client.write(connectPacket(identity));
  expect(await client.next(4)).toBe(accepted);
  return client;
}

describe('who is let onto the embedded broker', () => {
  it('a device with the proof of its key', async () => {
    await aConnectedDevice(await aBroker());
  });

  it.each([
    [
      'whose proof is of another key',
      () => connectPacket(device, { password: makeKeyProof('shoal-mqtt-v1', other, Date.now()) }),
    ],
    ['who speaks for another device', () => connectPacket(device, { username: other.id, clientId: other.id })],
    ['whose client id is of another device', () => connectPacket(device, { clientId: other.id })],
    ['who has no client id', () => connectPacket(device, { clientId: '' })],
    ['whose password is a word', () => connectPacket(device, { password: 'secret' })],
    ['who is a coordinator', () => connectPacket(coordinator)],
    [
      'who has no user name',
      () => packet(0x10, Buffer.concat([text('MQTT'), Buffer.of(4, 2, 0, 60), text(device.id)])),
    ],
  ])('nobody %s', async (_who, bytes) => {
    const client = await RawClient.to(await aBroker());
    client.write(bytes());
    expect(await client.next(4)).toBe(badCredentials);
    expect(await client.next(1)).toBe('closed');
  });

  it('nobody who repeats a proof that was used', async () => {
    const broker = await aBroker();
    const password = makeKeyProof('shoal-mqtt-v1', device, Date.now());
    const first = await RawClient.to(broker);
    first.write(connectPacket(device, { password }));
    expect(await first.next(4)).toBe(accepted);
    const second = await RawClient.to(broker);
    second.write(connectPacket(device, { password }));
    expect(await second.next(4)).toBe(badCredentials);
    // And the first is not thrown out for it.
    first.write(ping);
    expect(await first.next(2)).toBe(pong);
  });

  const connectingAt = (nowMs: number) =>
    connectPacket(device, { password: makeKeyProof('shoal-mqtt-v1', device, nowMs) });
  const down = subscribePacket(topicsOf('shoal', device.id).down);

  it.each([
    ['at 1970', () => 60_000],
    ['ten years ahead', () => Date.now() + 10 * 365 * 86_400_000],
  ])('a device whose clock is %s, again and again, unless it is there with a clock that is right', async (_, nowMs) => {
    const broker = await aBroker();
    for (const laterMs of [1, 2]) {
      const client = await RawClient.to(broker);
      client.write(connectingAt(nowMs() + laterMs), down);
      expect(await client.next(9)).toBe(`${accepted}9003000100`);
    }
    const right = await RawClient.to(broker);
    right.write(connectingAt(Date.now()), down);
    expect(await right.next(9)).toBe(`${accepted}9003000100`);
    const overheard = await RawClient.to(broker);
    overheard.write(connectingAt(nowMs() + 3));
    expect(await overheard.next(4)).toBe(badCredentials);
    right.write(ping);
    expect(await right.next(2)).toBe(pong);
  });

  it('a device that was cut off, once it comes back', async () => {
    const broker = await aBroker();
    const client = await aConnectedDevice(broker);
    client.write(subscribePacket(topicsOf('shoal', device.id).down));
    expect(await client.next(5)).toBe('9003000100');
    broker.cut(other.id);
    broker.cut(device.id);
    expect(await client.next(1)).toBe('closed');
    await aConnectedDevice(broker);
  });

  it('nobody who is cut off while it takes the place of its older connection, and has asked for nothing yet', async () => {
    const broker = await aBroker();
    const first = await aConnectedDevice(broker);
    first.write(subscribePacket(topicsOf('shoal', device.id).down));
    expect(await first.next(5)).toBe('9003000100');
    const second = await aConnectedDevice(broker);
    broker.cut(device.id);
    expect(await first.next(1)).toBe('closed');
    expect(await second.next(1)).toBe('closed');
  });

  it('a device a second time: the older connection is closed', async () => {
    const broker = await aBroker();
    const first = await aConnectedDevice(broker);
    const second = await aConnectedDevice(broker);
    expect(await first.next(1)).toBe('closed');
    second.write(ping);
    expect(await second.next(2)).toBe(pong);
  });
});

describe('what a device may do on the embedded broker', () => {
  const own = topicsOf('shoal', device.id);
  const others = topicsOf('shoal', other.id);

  it('it hears what is said to it, and nothing else that it asks for', async () => {
    const client = await aConnectedDevice(await aBroker());
    for (const [filter, code] of [
      [own.down, '00'],
      [others.down, '80'],
      [own.up, '80'],
      ['shoal/#', '80'],
      ['#', '80'],
      ['+/+/+/+', '80'],
      [`shoal/d/+/down`, '80'],
      ['$SYS/#', '80'],
    ] as const) {
      client.write(subscribePacket(filter));
      expect(await client.next(5), filter).toBe(`90030001${code}`);
    }
  });

  it.each([
    ['as another device', others.up],
    ['to itself', own.down],
    ['to another device', others.down],
    ['that another device is gone', others.available],
    ['outside of the topics of devices', 'shoal/all'],
    ['as the broker', '$SYS/broker/clients'],
  ])('it is cut off when it speaks %s', async (_how, topic) => {
    const broker = await aBroker();
    const heard = listenTo(broker.link());
    const client = await aConnectedDevice(broker);
    client.write(publishPacket(topic, Uint8Array.of(1)));
    expect(await client.next(1)).toBe('closed');
    expect(heard.count).toBe(0);
  });

  it('it is not let leave a last will that speaks for another device', async () => {
    const broker = await aBroker();
    const victim = await aConnectedDevice(broker, other);
    victim.write(subscribePacket(others.down));
    await victim.next(5);
    const client = await RawClient.to(broker);
    client.write(connectPacket(device, { will: others.down }));
    expect(await client.next(4)).toBe(accepted);
    client.socket.destroy();
    await once(client.socket, 'close');
    // By the time that the same device is let in again, its last connection is over, its will included.
    await aConnectedDevice(broker);
    victim.write(ping);
    expect(await victim.next(2)).toBe(pong);
  });

  it('it cannot leave anything behind: nothing is retained, no session outlives its connection', async () => {
    const broker = await aBroker();
    const first = await RawClient.to(broker);
    first.write(connectPacket(device, { clean: false }));
    expect(await first.next(4)).toBe(accepted);
    first.write(subscribePacket(own.down, 1));
    await first.next(5);
    const retained = publishPacket(own.available, Buffer.from('online'));
    retained[0] = 0x31;
    first.write(retained, ping);
    expect(await first.next(2)).toBe(pong);
    first.socket.destroy();
    const second = await RawClient.to(broker);
    second.write(connectPacket(device, { clean: false }));
    // Session present would be `20020100`.
    expect(await second.next(4)).toBe(accepted);
  });
});

describe('bad input to the embedded broker', () => {
  it.each([
    ['is not MQTT', Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${'x'.repeat(200)}`)],
    ['is random', Buffer.from('ffffffffffffffffffff', 'hex')],
    ['is of MQTT 5', Buffer.from('101000044d5154540502003c00000163', 'hex').subarray(0, 15)],
    ['begins with a PUBLISH', publishPacket('a', Uint8Array.of(1))],
    ['begins with a packet of 100 MB', Buffer.from('1080c2d72f', 'hex')],
    ['begins with a CONNECT of 5 KB', packet(0x10, Buffer.alloc(5000))],
  ])('cuts a connection that %s', async (_what, bytes) => {
    const broker = await aBroker();
    const client = await RawClient.to(broker);
    client.write(bytes);
    if (bytes.length === 15) client.socket.end();
    while ((await client.next(1)) !== 'closed');
    // And goes on.
    await aConnectedDevice(broker);
  });

  it('cuts a device that announces 100 MB, without keeping any of it', async () => {
    const broker = await aBroker();
    const client = await aConnectedDevice(broker);
    client.write(encodePublishHeader(topicsOf('shoal', device.id).up, 100_000_000));
    expect(await client.next(1)).toBe('closed');
  });

  it('goes on after 2,000 connections of random bytes', async () => {
    const broker = await aBroker();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = connect(broker.port, '127.0.0.1');
          socket.on('error', () => {});
          const bytes = Buffer.from(random.bytes(1 + Math.floor(random.next() * 60)));
          if (random.next() < 0.5) bytes[0] = 0x10;
          socket.end(bytes);
          socket.resume();
          await once(socket, 'close');
        }),
      );
    }
    await aConnectedDevice(broker);
  });
});

describe('the limits of the embedded broker', () => {
  it('a socket that says nothing is cut off in time', async () => {
    const client = await RawClient.to(await aBroker({ limits: { helloTimeoutMs: 20 } }));
    expect(await client.next(1)).toBe('closed');
  });

  it('a socket that says half of a CONNECT is cut off in time', async () => {
    const client = await RawClient.to(await aBroker({ limits: { helloTimeoutMs: 20 } }));
    client.write(connectPacket(device).subarray(0, 20));
    expect(await client.next(1)).toBe('closed');
  });

  it('more connections than allowed are refused, those that are there stay', async () => {
    const broker = await aBroker({ limits: { maxConnections: 2 } });
    const client = await aConnectedDevice(broker);
    await RawClient.to(broker);
    const third = await RawClient.to(broker);
    expect(await third.next(1)).toBe('closed');
    client.write(ping);
    expect(await client.next(2)).toBe(pong);
  });

  it('a device that reads nothing is refused more, and cut off in time', async () => {
    const limits = { drainTimeoutMs: 50, maxBufferedBytes: 1 << 20 };
    const broker = await aBroker({ limits });
    const heard = listenTo(broker.link());
    const client = await aConnectedDevice(broker);
    client.write(subscribePacket(topicsOf('shoal', device.id).down));
    await client.next(5);
    await heard.reachable(device.id, true);
    client.socket.pause();
    const frame = new Uint8Array(200_000);
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () =>
        broker
          .link()
          .send(device.id, frame)
          .then(
            () => 'taken',
            (error: { code: string }) => error.code,
          ),
      ),
    );
    expect(new Set(outcomes)).toContain('queue.full');
    await heard.reachable(device.id, false);
    expect(outcomes.filter((outcome) => outcome === 'taken').length * frame.length).toBeLessThan(10_000_000);
  });
});

describe('the port of the embedded broker', () => {
  async function aTakenPort(): Promise<number> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  it('is an error with the port in it when it is taken, and leaves nothing', async () => {
    const port = await aTakenPort();
    const broker = createEmbeddedBroker({ host: '127.0.0.1', port, clock: systemClock, logger: silentLogger });
    await expect(broker.start(never)).rejects.toMatchObject({ code: 'conflict', facts: { port } });
    await broker.stop();
  });

  it('is the next free one when that is wanted', async () => {
    const port = await aTakenPort();
    const broker = await aBroker({ port, portSearch: 20 });
    expect(broker.port).toBeGreaterThan(port);
    await aConnectedDevice(broker);
  });

  it('is an error that says why when the address is not of this machine', async () => {
    const broker = createEmbeddedBroker({ host: '192.0.2.1', port: 0, clock: systemClock, logger: silentLogger });
    await expect(broker.start(never)).rejects.toMatchObject({ code: 'io.failed', facts: { host: '192.0.2.1' } });
  });

  it('is not known before start, and free again after stop', async () => {
    const broker = createEmbeddedBroker({ host: '127.0.0.1', port: 0, clock: systemClock, logger: silentLogger });
    expect(() => broker.port).toThrow('not started');
    await broker.start(never);
    const { port } = broker;
    await broker.stop();
    const again = await aBroker({ port });
    expect(again.port).toBe(port);
  });
});

describe('the life of the embedded broker', () => {
  it('ends with nothing left: no socket, whoever was connected, and stops twice', async () => {
    const broker = await aBroker();
    const client = await aConnectedDevice(broker);
    const silent = await RawClient.to(broker);
    silent.write(Buffer.of(0x10));
    await Promise.all([broker.stop(), broker.stop()]);
    await broker.stop();
    expect([await client.next(1), await silent.next(1)]).toEqual(['closed', 'closed']);
    expect(broker.connections).toBe(0);
  });

  it('stops without having been started', async () => {
    await createEmbeddedBroker({ host: '127.0.0.1', port: 0, clock: systemClock, logger: silentLogger }).stop();
  });

  it('comes to a new end when a broker takes its place on the same port', async () => {
    const first = await aBroker();
    const { port } = first;
    const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 } };
    const url = `mqtt://127.0.0.1:${port}`;
    const link = createMqttDeviceLink({
      url,
      identity: device,
      coordinator: coordinator.id,
      clock: systemClock,
      logger: silentLogger,
      limits,
    });
    const heard = listenTo(link);
    closers.push(() => link.stop());
    await link.start(never);
    await heard.reachable(coordinator.id, true);
    await first.stop();
    await heard.reachable(coordinator.id, false);
    const second = await aBroker({ port });
    const secondHeard = listenTo(second.link());
    await secondHeard.reachable(device.id, true);
    await heard.reachable(coordinator.id, true);
    await link.send(coordinator.id, Uint8Array.of(1));
    expect((await secondHeard.next()).bytes).toEqual(Uint8Array.of(1));
  });
});
