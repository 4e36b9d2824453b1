import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedBroker } from '@shoal/coordinator/broker';
import { silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasMosquitto, Mosquitto } from '../support/mosquitto.ts';

/**
 * How far the embedded broker speaks MQTT 3.1.1 with the clients of others, and Mosquitto beside it. Shoal's own rules keep devices to three topics and to
 * clean sessions; here the same broker has open rules, so that the rest of the protocol can be seen. Cases are those of the common ground that
 * interoperability suites test.
 */

interface Broker extends AsyncDisposable {
  readonly url: string;
}

const brokers: readonly { readonly name: string; readonly present: boolean; start(): Promise<Broker> }[] = [
  { name: 'the embedded broker with open rules', present: true, start: startEmbedded },
  { name: 'Mosquitto', present: await hasMosquitto(), start: startMosquitto },
];

async function startEmbedded(): Promise<Broker> {
  const options = { host: '127.0.0.1', port: 0, clock: systemClock, logger: silentLogger };
  const broker = createEmbeddedBroker({
    ...options,
    rules: {
      authorizeSubscribe: (_client, subscription, done) =>
        done(null, isSecret(subscription.topic) ? null : subscription),
    },
  });
  await broker.start(new AbortController().signal);
  return { url: `mqtt://127.0.0.1:${broker.port}`, [Symbol.asyncDispose]: () => broker.stop() };
}

const isSecret = (topic: string) => topic.startsWith('secret/');

async function startMosquitto(): Promise<Broker> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-interop-'));
  const broker = await Mosquitto.start(directory);
  return {
    url: broker.url,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

interface Message {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
}

function event<T>(client: MqttClient, name: 'connect' | 'error' | 'close'): Promise<T> {
  return new Promise((resolve) => client.once(name, (first?: unknown) => resolve(first as T)));
}

/** A client of MQTT.js with what it has received, in order. */
class Peer {
  readonly client: MqttClient;
  readonly #messages: Message[] = [];
  #wake = () => {};

  constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { qos, retain }) => {
      this.#messages.push({ topic, text: payload.toString(), qos, retain });
      this.#wake();
    });
  }

  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** All that came before a message of this one to itself. */
  async until(mark: string): Promise<readonly Message[]> {
    await this.client.subscribeAsync(mark, { qos: 1 });
    await this.client.publishAsync(mark, mark, { qos: 1 });
    const messages: Message[] = [];
    for (;;) {
      const message = await this.next();
      if (message.topic === mark) return messages;
      messages.push(message);
    }
  }

  end(): Promise<void> {
    return this.client.endAsync();
  }
}

describe.each(brokers)('MQTT 3.1.1 on $name', ({ name, present, start }) => {
  const isEmbedded = !name.startsWith('Mosquitto');
  let broker: Broker;
  const peers: Peer[] = [];
  let clients = 0;

  beforeAll(async () => {
    if (present) broker = await start();
  });
  afterAll(async () => {
    if (present) await broker[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const { client } of peers.splice(0)) await client.endAsync(true);
  });

  async function aPeer(options: IClientOptions = {}): Promise<Peer> {
    const client = mqtt.connect(broker.url, {
      protocolVersion: 4,
      clientId: `client-${clients++}`,
      reconnectPeriod: 0,
      ...options,
    });
    const peer = new Peer(client);
    peers.push(peer);
    await event(client, 'connect');
    return peer;
  }

  const test = it.skipIf(!present);

  test('each quality of service arrives as it was granted', async () => {
    const [hearer, sayer] = [await aPeer(), await aPeer()];
    await hearer.client.subscribeAsync('basic/#', { qos: 2 });
    for (const qos of [0, 1, 2] as const) {
      await sayer.client.publishAsync(`basic/${qos}`, `qos ${qos}`, { qos });
      expect(await hearer.next()).toEqual({ topic: `basic/${qos}`, text: `qos ${qos}`, qos, retain: false });
    }
  });

  test('a session that is present is said to be, a clean one is not', async () => {
    const clientId = 'keeper';
    const sessionOf = async (clean: boolean) => {
      const client = mqtt.connect(broker.url, { protocolVersion: 4, clientId, clean, reconnectPeriod: 0 });
      const { sessionPresent } = await event<{ sessionPresent: boolean }>(client, 'connect');
      await client.subscribeAsync('session', { qos: 1 });
      await client.endAsync();
      return sessionPresent;
    };
    expect([await sessionOf(true), await sessionOf(false), await sessionOf(false), await sessionOf(true)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  test('a retained message is there for who comes later, until an empty one takes its place', async () => {
    const sayer = await aPeer();
    await sayer.client.publishAsync('kept/a', 'still here', { qos: 1, retain: true });
    const late = await aPeer();
    await late.client.subscribeAsync('kept/#', { qos: 1 });
    expect(await late.next()).toEqual({ topic: 'kept/a', text: 'still here', qos: 1, retain: true });
    await sayer.client.publishAsync('kept/a', '', { qos: 1, retain: true });
    const later = await aPeer();
    await later.client.subscribeAsync('kept/#', { qos: 1 });
    expect(await later.until('mark/kept')).toEqual([]);
  });

  test('the will is published when a client is cut off, and not when it says goodbye', async () => {
    const watcher = await aPeer();
    await watcher.client.subscribeAsync('will/#', { qos: 1 });
    const will = (topic: string) => ({ will: { topic, payload: Buffer.from('gone'), qos: 1 as const, retain: false } });
    const polite = await aPeer(will('will/polite'));
    await polite.end();
    const cut = await aPeer(will('will/cut'));
    cut.client.stream.destroy();
    expect((await watcher.next()).topic).toBe('will/cut');
  });

  test('what is said while a session is away waits for it at QoS 1 and 2', async () => {
    const session = { clientId: 'sleeper', clean: false };
    const awake = await aPeer(session);
    await awake.client.subscribeAsync('queue/#', { qos: 2 });
    await awake.end();
    const sayer = await aPeer();
    for (const qos of [1, 2] as const) await sayer.client.publishAsync(`queue/${qos}`, 'waits', { qos });
    const again = await aPeer(session);
    expect([(await again.next()).topic, (await again.next()).topic].sort()).toEqual(['queue/1', 'queue/2']);
  });

  test('what was not acknowledged is delivered again to the same session', async () => {
    const session = { clientId: 'forgetful', clean: false };
    const first = await aPeer(session);
    await first.client.subscribeAsync('again', { qos: 1 });
    const sayer = await aPeer();
    // It is sent there, and never read.
    first.client.stream.pause();
    await sayer.client.publishAsync('again', 'once more', { qos: 1 });
    const closed = event(first.client, 'close');
    first.client.stream.destroy();
    await closed;
    const second = await aPeer(session);
    expect((await second.next()).text).toBe('once more');
  });

  test('two subscriptions that match the same topic bring its message with the higher quality, once or once for each', async () => {
    const peer = await aPeer();
    await peer.client.subscribeAsync({ 'overlap/#': { qos: 2 }, 'overlap/+': { qos: 1 } });
    await peer.client.publishAsync('overlap/x', 'x', { qos: 2 });
    const came = await peer.until('mark/overlap');
    expect(came.length).toBeLessThanOrEqual(2);
    // Mosquitto 2.0.11 takes the lower one [MQTT-3.3.5-1].
    expect(Math.max(...came.map(({ qos }) => qos))).toBe(isEmbedded ? 2 : 1);
  });

  test('who keeps silent longer than one and a half of its keep-alive is cut off', async () => {
    const watcher = await aPeer();
    await watcher.client.subscribeAsync('silence', { qos: 1 });
    const socket = connectTcp(Number(new URL(broker.url).port), '127.0.0.1');
    const text = (value: string) => Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)]);
    // CONNECT with a will and a keep-alive of one second (§3.1).
    const head = Buffer.from('101e00044d51545404060001', 'hex');
    socket.write(Buffer.concat([head, text('silent'), text('silence'), text('s')]));
    await Promise.all([once(socket.resume(), 'close'), watcher.next()]);
  });

  test('a session without a name is refused, a clean one gets a name', async () => {
    const nameless = async (flags: string) => {
      const socket = connectTcp(Number(new URL(broker.url).port), '127.0.0.1');
      socket.write(Buffer.from(`100c00044d51545404${flags}003c0000`, 'hex'));
      const [connack] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return connack[3];
    };
    expect(await nameless('02')).toBe(0);
    // aedes makes up a name there, too [MQTT-3.1.3-8].
    expect(await nameless('00')).toBe(isEmbedded ? 0 : 2);
  });

  test('a subscription that is not granted is answered with 128', async () => {
    const peer = await aPeer();
    const ask = peer.client.subscribeAsync('secret/x', { qos: 1 });
    // This Mosquitto has no access list.
    if (isEmbedded) await expect(ask).rejects.toMatchObject({ packet: { granted: [0x80] } });
    else expect((await ask)[0]?.qos).toBe(1);
  });

  test('a filter that begins with a wildcard does not match topics that begin with a dollar sign', async () => {
    const peer = await aPeer();
    await peer.client.subscribeAsync(['+/dollar', '#'], { qos: 1 });
    await peer.client.publishAsync('$own/dollar', 'x', { qos: 0 });
    expect((await peer.until('mark/dollar')).filter(({ topic }) => topic.startsWith('$'))).toEqual([]);
  });

  test('nothing comes any more from what was unsubscribed', async () => {
    const peer = await aPeer();
    await peer.client.subscribeAsync(['left/a', 'left/b'], { qos: 1 });
    await peer.client.unsubscribeAsync('left/a');
    for (const topic of ['left/a', 'left/b']) await peer.client.publishAsync(topic, 'x', { qos: 1 });
    expect((await peer.until('mark/left')).map(({ topic }) => topic)).toEqual(['left/b']);
  });

  test('MQTT 5 is spoken, or refused in a way that a client can fall back from', async () => {
    const five = mqtt.connect(broker.url, { protocolVersion: 5, reconnectPeriod: 0 });
    if (!isEmbedded) {
      await event(five, 'connect');
      await five.endAsync();
      return;
    }
    const refused = await event<Error & { code?: number }>(five, 'error');
    await five.endAsync(true);
    // §3.2.2.3: 1, unacceptable protocol version.
    expect([refused.code, refused.message]).toEqual([1, expect.stringMatching(/version/i)]);
    await aPeer({ protocolVersion: 4 });
  });
});
