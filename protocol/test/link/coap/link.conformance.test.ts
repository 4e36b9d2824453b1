import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createCoapCoordinatorLink, createCoapDeviceLink } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { describe, it } from 'vitest';
import { freeUdpPort } from './free-udp-port.ts';
import { UdpRelay } from './udp-relay.ts';

/** Small enough for a busy machine; a megabyte goes the same way (libcoap.test.ts). */
const sizes = { maxFrameBytes: 128 << 10, maxBufferedBytes: 512 << 10 };
const limits = {
  ...sizes,
  backoff: { firstMs: 5, maxMs: 20, factor: 2 },
  heartbeatMs: 200,
  lifetimeS: 2,
  closeGraceMs: 500,
};

/** Devices and their coordinator with a network in between that can go away. */
async function relayedWorld(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const random = seededRandom(1);
  const coordinator = newIdentity('coordinator', random);
  const serverPort = await freeUdpPort();
  let relay = await UdpRelay.start({ toPort: serverPort });
  const { port } = relay;
  const link = createCoapCoordinatorLink({
    host: '127.0.0.1',
    port: serverPort,
    clock,
    random,
    logger: silentLogger,
    limits: sizes,
  });
  return {
    coordinator,
    coordinatorLink: () => link,
    deviceLink: (identity) =>
      createCoapDeviceLink({
        urls: [`coap://127.0.0.1:${port}`],
        identity,
        coordinator: coordinator.id,
        clock,
        random,
        logger: silentLogger,
        limits,
      }),
    away: async (action) => {
      await relay.stop();
      await action();
      relay = await UdpRelay.start({ toPort: serverPort, port });
    },
    leftovers: () => clock.pending(),
    close: () => relay.stop(),
  };
}

describe('the CoAP link', () => {
  for (const { name, run } of linkConformance(relayedWorld, { middle: true })) it(name, run);
});
