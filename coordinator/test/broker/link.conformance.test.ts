import { createServer, type Server, type Socket } from 'node:net';
import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttCoordinatorLink, createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { Aedes } from 'aedes';
import { describe, it } from 'vitest';
import { createEmbeddedBroker, type ListenerKind } from '../../src/broker/index.ts';
import { makeOwnTls } from '../../src/broker/real/index.ts';

const never = new AbortController().signal;
const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 500 };

/** Devices over sockets, the coordinator inside of its own broker. */
async function embeddedWorld(kind: ListenerKind): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const coordinator = newIdentity('coordinator', seededRandom(1));
  const common = { host: '127.0.0.1', clock, logger: silentLogger };
  const also = kind === 'mqtt' ? {} : { [kind]: 0 };
  const broker = createEmbeddedBroker({ ...common, port: 0, also, tls: makeOwnTls(coordinator) });
  await broker.start(never);
  const port = broker.listening.find((each) => each.kind === kind)?.port;
  return {
    coordinator,
    coordinatorLink: () => broker.link(),
    deviceLink: (identity) =>
      createMqttDeviceLink({
        url: `${kind}://127.0.0.1:${port}`,
        identity,
        coordinator: coordinator.id,
        clock,
        logger: silentLogger,
        limits,
      }),
    leftovers: () => [...clock.pending(), ...Array<string>(broker.connections).fill('socket')],
    close: () => broker.stop(),
  };
}

/** Both ends over sockets, as with a broker that already runs; this one is aedes as it comes. */
async function externalWorld(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const coordinator = newIdentity('coordinator', seededRandom(1));
  let broker = await PlainBroker.start(0);
  const { port } = broker;
  const common = { url: `mqtt://127.0.0.1:${port}`, clock, logger: silentLogger, limits };
  return {
    coordinator,
    coordinatorLink: () => createMqttCoordinatorLink({ ...common, identity: coordinator }),
    deviceLink: (identity) => createMqttDeviceLink({ ...common, identity, coordinator: coordinator.id }),
    away: async (action) => {
      await broker.stop();
      await action();
      broker = await PlainBroker.start(port);
    },
    leftovers: () => [...clock.pending(), ...Array<string>(broker.sockets.size).fill('socket')],
    close: () => broker.stop(),
  };
}

class PlainBroker {
  readonly sockets = new Set<Socket>();
  readonly port: number;
  readonly #aedes: Aedes;
  readonly #server: Server;

  static async start(port: number): Promise<PlainBroker> {
    const aedes = await Aedes.createBroker();
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new PlainBroker(aedes, server);
  }

  constructor(aedes: Aedes, server: Server) {
    this.#aedes = aedes;
    this.#server = server;
    const address = server.address();
    this.port = typeof address === 'object' && address ? address.port : 0;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      aedes.handle(socket);
    });
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

describe.each(['mqtt', 'mqtts', 'ws', 'wss'] as const)('the MQTT link to the embedded broker, %s', (kind) => {
  for (const { name, run } of linkConformance(() => embeddedWorld(kind), { middle: false })) it(name, run);
});

describe('the MQTT link with both ends on another broker', () => {
  for (const { name, run } of linkConformance(externalWorld, { middle: true })) it(name, run);
});
