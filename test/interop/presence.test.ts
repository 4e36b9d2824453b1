import { generateKeyPairSync } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { createEmbeddedBroker, type EmbeddedBroker, type EmbeddedBrokerOptions } from '@shoal/coordinator/broker';
import { type Identity, type Link, makeKeyProof, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink, topicsOf, vouchForKey } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';

const never = new AbortController().signal;
const random = seededRandom(41);
const coordinator = newIdentity('coordinator', random);
const device = newIdentity('device', random);
const stranger = newIdentity('device', random);
const apiKey = 'shoal_a-key';
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aBroker(options: Partial<EmbeddedBrokerOptions> = {}): Promise<EmbeddedBroker> {
  const broker = createEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, clock: systemClock, logger: silentLogger },
    isMember: (id) => id !== stranger.id,
    isReader: (password) => password === apiKey,
    ...options,
  });
  closers.push(() => broker.stop());
  await broker.start(never);
  await broker.link().start(never);
  return broker;
}

async function aClient(broker: EmbeddedBroker, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  closers.push(() => client.endAsync(true));
  return client;
}

/** Somebody who sees who is there: what it heard, in order. */
async function aReader(broker: EmbeddedBroker, filter = 'shoal/d/+/available') {
  const client = await aClient(broker, { username: 'reader', password: apiKey, clientId: 'home' });
  const heard: string[] = [];
  let wake = () => {};
  client.on('message', (topic, payload, { retain }) => {
    heard.push(`${topic.split('/')[2]} ${payload} ${retain ? 'retained' : 'now'}`);
    wake();
  });
  const [granted] = await client.subscribeAsync(filter).catch(() => [{ qos: 128 }]);
  return {
    client,
    granted: granted?.qos,
    heard,
    async until(line: string) {
      while (!heard.includes(line)) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

async function aDevice(broker: EmbeddedBroker, identity: Identity): Promise<Link> {
  const link = createMqttDeviceLink({
    ...{ url: `mqtt://127.0.0.1:${broker.port}`, identity, coordinator: coordinator.id, random },
    ...{ clock: systemClock, logger: silentLogger },
  });
  closers.push(() => link.stop());
  const up = new Promise<void>((resolve) => {
    link.subscribe({ onFrame: () => {}, onPeer: (_, reachable) => reachable && resolve() });
  });
  await link.start(never);
  await up;
  return link;
}

const asDevice = (identity: Identity, will = 'offline'): IClientOptions => ({
  ...{ clientId: identity.id, username: identity.id },
  password: makeKeyProof('shoal-mqtt-v1', identity, Date.now()),
  will: { topic: topicsOf('shoal', identity.id).available, payload: Buffer.from(will), qos: 0, retain: true },
});
const say = (client: MqttClient, identity: Identity, payload: string) =>
  client.publishAsync(topicsOf('shoal', identity.id).available, payload, { retain: true });

function ownTls() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = vouchForKey(coordinator, publicKey.export({ type: 'spki', format: 'der' }));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

const closing = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', resolve));

/** Of this machine, as others see it; `undefined` when it has none. */
const networkAddress = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe('whether a device is there, on the embedded broker', () => {
  it('is told to who comes later, and at once to who is there: also that it has left', async () => {
    const broker = await aBroker();
    const link = await aDevice(broker, device);
    const reader = await aReader(broker);
    await reader.until(`${device.id} online retained`);
    await link.stop();
    await reader.until(`${device.id} offline now`);
    const later = await aReader(broker, topicsOf('shoal', device.id).available);
    await later.until(`${device.id} offline retained`);
  });

  it('is told by its last will when it is cut off', async () => {
    const broker = await aBroker();
    const client = await aClient(broker, asDevice(device));
    await say(client, device, 'online');
    const reader = await aReader(broker);
    await reader.until(`${device.id} online retained`);
    client.stream.destroy();
    await reader.until(`${device.id} offline now`);
  });

  it('is not taken back by a connection whose place another one has taken', async () => {
    const broker = await aBroker();
    const first = await aClient(broker, asDevice(device));
    await say(first, device, 'online');
    const reader = await aReader(broker);
    const second = await aClient(broker, asDevice(device));
    await closing(first);
    await say(second, device, 'online');
    await reader.until(`${device.id} online now`);
    second.stream.destroy();
    await reader.until(`${device.id} offline now`);
    expect(reader.heard).toEqual([
      `${device.id} online retained`,
      `${device.id} online now`,
      `${device.id} offline now`,
    ]);
  });

  it('is forgotten of a stranger when it goes, and of a device that is put out', async () => {
    const out = new Set([stranger.id]);
    const broker = await aBroker({ isMember: (id) => !out.has(id) });
    const clients = [stranger, device].map(async (identity) => {
      const client = await aClient(broker, asDevice(identity));
      await say(client, identity, 'online');
      return client;
    });
    const [strange] = await Promise.all(clients);
    const reader = await aReader(broker);
    await reader.until(`${stranger.id} online retained`);
    await reader.until(`${device.id} online retained`);
    strange?.stream.destroy();
    await reader.until(`${stranger.id}  now`);
    out.add(device.id);
    broker.cut(device.id);
    await reader.until(`${device.id}  now`);
    const later = await aReader(broker);
    await later.client.endAsync();
    expect(later.heard).toEqual([]);
  });

  it('is one of two words, whatever the device says: nothing else of it is kept', async () => {
    const broker = await aBroker();
    const client = await aClient(broker, asDevice(device, 'x'.repeat(500)));
    const closed = closing(client);
    void say(client, device, 'y'.repeat(100_000)).catch(() => {});
    await closed;
    const reader = await aReader(broker);
    await reader.client.endAsync();
    expect(reader.heard).toEqual([]);
  });
});

describe('a reader on the embedded broker', () => {
  it.each(['#', 'shoal/#', 'shoal/d/+/+', 'shoal/d/+/up', `shoal/d/${device.id}/down`, '$SYS/#'])(
    'does not hear %s',
    async (filter) => {
      expect((await aReader(await aBroker(), filter)).granted).toBe(128);
    },
  );

  it('says nothing', async () => {
    const broker = await aBroker();
    const reader = await aReader(broker);
    const closed = closing(reader.client);
    void say(reader.client, device, 'online').catch(() => {});
    await closed;
    expect((await aReader(broker)).heard).toEqual([]);
  });

  it.each([
    ['with a key that is not known', { password: 'shoal_other' }],
    ['without one', { password: '' }],
    ['in the place of a device', { clientId: device.id }],
  ])('is not let in %s', async (_, change) => {
    const broker = await aBroker();
    const options = { username: 'reader', password: apiKey, clientId: 'home', ...change };
    await expect(aClient(broker, options)).rejects.toMatchObject({ code: 4 });
  });

  it('is let in from another machine over TLS alone: its password is worth more than what it hears', async () => {
    const address = networkAddress();
    if (!address) return;
    const broker = await aBroker({ host: '0.0.0.0', also: { mqtts: 0 }, tls: ownTls() });
    const options = { username: 'reader', password: apiKey, clientId: 'home', reconnectPeriod: 0 };
    await expect(connectAsync(`mqtt://${address}:${broker.port}`, options)).rejects.toMatchObject({ code: 4 });
    const port = broker.listening.find(({ kind }) => kind === 'mqtts')?.port;
    const client = await connectAsync(`mqtts://${address}:${port}`, { ...options, rejectUnauthorized: false });
    await client.endAsync();
  });
});
