import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createEmbeddedBroker } from '@shoal/coordinator/broker';
import { type Identity, type Link, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { listenTo } from '@shoal/protocol/testing';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import type { RoundTrips } from './libp2p.ts';

const never = new AbortController().signal;

/** Both ends of a link, connected. */
export interface Ends {
  readonly device: Identity;
  readonly coordinator: Identity;
  readonly deviceLink: Link;
  readonly coordinatorLink: Link;
  close(): Promise<void>;
}

/** A device on the embedded broker. */
export async function openMqttEnds(): Promise<Ends> {
  const random = seededRandom(1);
  const [coordinator, device] = [newIdentity('coordinator', random), newIdentity('device', random)];
  const common = { clock: systemClock, logger: silentLogger };
  const broker = createEmbeddedBroker({ ...common, host: '127.0.0.1', port: 0 });
  await broker.start(never);
  const coordinatorLink = broker.link();
  await coordinatorLink.start(never);
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const deviceLink = createMqttDeviceLink({ ...common, url, identity: device, coordinator: coordinator.id });
  const heard = listenTo(coordinatorLink);
  await deviceLink.start(never);
  await heard.reachable(device.id, true);
  return {
    device,
    coordinator,
    deviceLink,
    coordinatorLink,
    async close() {
      await deviceLink.stop();
      await broker.stop();
    },
  };
}

/** Beside it MQTT.js as it comes on both ends of an aedes in this process, without Nagle's algorithm. */
export async function mqttRoundTrips(): Promise<RoundTrips> {
  const ends = await openMqttEnds();
  const { coordinator, deviceLink, coordinatorLink } = ends;
  coordinatorLink.subscribe({ onFrame: (frame, from) => void coordinatorLink.send(from, frame) });
  let answered = () => {};
  deviceLink.subscribe({ onFrame: () => answered() });
  const bare = await openBare();
  return {
    link: (payload) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        deviceLink.send(coordinator.id, payload).catch(reject);
      }),
    bare: bare.ask,
    async close() {
      await ends.close();
      await bare.close();
    },
  };
}

async function openBare() {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    aedes.handle(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [asking, answering] = [await aClient(port, 'answers'), await aClient(port, 'questions')];
  answering.on('message', (_topic, payload) => answering.publish('answers', payload, { qos: 0 }));
  let answered = () => {};
  asking.on('message', () => answered());
  return {
    ask: (payload: Uint8Array) =>
      new Promise<void>((resolve) => {
        answered = resolve;
        asking.publish('questions', Buffer.from(payload), { qos: 0 });
      }),
    async close() {
      await Promise.all([asking.endAsync(true), answering.endAsync(true)]);
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function aClient(port: number, topic: string): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  // MQTT.js sets it by itself; said here since the figure hangs on it.
  (client.stream as Socket).setNoDelay(true);
  await client.subscribeAsync(topic, { qos: 0 });
  return client;
}
