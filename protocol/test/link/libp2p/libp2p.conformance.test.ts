import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createLibp2pCoordinatorLink, createLibp2pDeviceLink, Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { describe, it } from 'vitest';

const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 500 };

/** The network between a device and its coordinator, which can go away: a port that hands bytes on to another. */
class Middle {
  readonly #target: () => number | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(target: () => number | undefined) {
    this.#target = target;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => {
      const target = this.#target();
      if (target === undefined) return void socket.destroy();
      const other = connect(target, '127.0.0.1');
      for (const [one, two] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.#sockets.add(one);
        one.setNoDelay();
        one.pipe(two);
        one.on('error', () => two.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          two.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

async function libp2pWorld(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const coordinator = newIdentity('coordinator', seededRandom(1));
  let port: () => number | undefined = () => undefined;
  const middle = new Middle(() => port());
  await middle.open();
  const common = { coordinator: coordinator.publicKey, clock, logger: silentLogger, limits, mdns: false } as const;
  return {
    coordinator,
    coordinatorLink: () => {
      const node = new Libp2pNode({ ...common, identity: coordinator, listen: { host: '127.0.0.1', port: 0 } });
      port = () => node.port;
      return createLibp2pCoordinatorLink({ node, logger: silentLogger });
    },
    deviceLink: (identity) =>
      createLibp2pDeviceLink({
        node: new Libp2pNode({ ...common, identity }),
        coordinator,
        addresses: [`libp2p://127.0.0.1:${middle.port}`],
        clock,
        logger: silentLogger,
      }),
    away: async (action) => {
      await middle.close();
      await action();
      await middle.open();
    },
    leftovers: () => clock.pending(),
    close: () => middle.close(),
  };
}

describe('the libp2p link', () => {
  for (const { name, run } of linkConformance(libp2pWorld, { middle: true })) it(name, run);
});
