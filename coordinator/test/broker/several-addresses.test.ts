import { once } from 'node:events';
import { createServer } from 'node:net';
import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, listenTo } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createEmbeddedBroker, type EmbeddedBroker } from '../../src/broker/index.ts';

const never = new AbortController().signal;
const random = seededRandom(21);
const coordinator = newIdentity('coordinator', random);
const device = newIdentity('device', random);
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aBroker(port = 0): Promise<EmbeddedBroker> {
  const broker = createEmbeddedBroker({ host: '127.0.0.1', port, clock: systemClock, logger: silentLogger });
  closers.push(() => broker.stop());
  await broker.start(never);
  await broker.link().start(never);
  return broker;
}

/** A port on which somebody listens and never says a word. */
async function aSilentPort(): Promise<number> {
  const server = createServer((socket) => closers.push(async () => socket.destroy())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.unshift(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function aLinkTo(...ports: readonly number[]) {
  const [url = '', ...otherUrls] = ports.map((port) => `mqtt://127.0.0.1:${port}`);
  const clock = new CountingClock(systemClock);
  const link = createMqttDeviceLink({
    ...{ url, otherUrls, identity: device, coordinator: coordinator.id, clock, random, logger: silentLogger },
    limits: { backoff: { firstMs: 4, maxMs: 8, factor: 2 }, hastyTimeoutMs: 50, closeGraceMs: 100 },
  });
  const heard = listenTo(link);
  closers.push(async () => {
    await link.stop();
    expect(clock.pending()).toEqual([]);
  });
  return { link, heard };
}

const comesTo = (broker: EmbeddedBroker) => listenTo(broker.link()).reachable(device.id, true);

describe('a device with several addresses of brokers', () => {
  it('uses the first that answers', async () => {
    const [first, second] = [await aBroker(), await aBroker()];
    const came = comesTo(first);
    await aLinkTo(first.port, second.port).link.start(never);
    await came;
    expect(second.connections).toBe(0);
  });

  it('goes on to the next when one does not answer, at its start and later, and around', async () => {
    const [first, second] = [await aBroker(), await aBroker()];
    const ports = [first.port, second.port] as const;
    await first.stop();
    const toSecond = comesTo(second);
    await aLinkTo(...ports).link.start(never);
    await toSecond;
    const third = await aBroker(ports[0]);
    const toThird = comesTo(third);
    await second.stop();
    await toThird;
    const fourth = await aBroker(ports[1]);
    const toFourth = comesTo(fourth);
    await third.stop();
    await toFourth;
  });

  it('passes over one where nobody says a word', async () => {
    const silent = await aSilentPort();
    const broker = await aBroker();
    const came = comesTo(broker);
    await aLinkTo(silent, broker.port).link.start(never);
    await came;
  });
});
