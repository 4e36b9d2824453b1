import { newIdentity, seededRandom, sha256Hex, silentLogger } from '@shoal/protocol';
import { createCoapCoordinatorLink, createCoapDeviceLink } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import { listenTo } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { UdpRelay } from './udp-relay.ts';

/** A megabyte takes minutes, since block after block waits for its answer: `SHOAL_TEST_BODY_BYTES=1048576` lets it. */
const sizeBytes = Number(process.env['SHOAL_TEST_BODY_BYTES'] ?? 64 << 10);
const blocks = Math.ceil(sizeBytes / 1024);
const bad = { loss: 0.1, doubled: 0.05, delayMs: 45, jitterMs: 10 };
const never = new AbortController().signal;

type AtTheEnd = (close: () => Promise<void>) => void;

async function aWorld(seed: number, atTheEnd: AtTheEnd) {
  const random = seededRandom(seed);
  const common = { clock: systemClock, logger: silentLogger, random };
  const [coordinator, identity] = [newIdentity('coordinator', random).id, newIdentity('device', random)];
  const up = createCoapCoordinatorLink({ ...common, host: '127.0.0.1', port: 0 });
  const atCoordinator = listenTo(up);
  await up.start(never);
  atTheEnd(() => up.stop());
  const relay = await UdpRelay.start({ ...bad, toPort: up.port, seed });
  atTheEnd(() => relay.stop());
  const down = createCoapDeviceLink({ ...common, urls: [`coap://127.0.0.1:${relay.port}`], identity, coordinator });
  const atDevice = listenTo(down);
  await down.start(never);
  atTheEnd(() => down.stop());
  await atCoordinator.reachable(identity.id, true);
  await atDevice.reachable(coordinator, true);
  return { body: random.bytes(sizeBytes), up, down, relay, atCoordinator, atDevice, coordinator, device: identity.id };
}

describe.concurrent(`a body of ${sizeBytes} bytes, where every tenth datagram is lost and 100 ms pass there and back,`, () => {
  const patienceMs = 20_000 + blocks * 500;

  it('comes up whole, without more datagrams than the losses ask for', { timeout: patienceMs }, async ({
    onTestFinished,
  }) => {
    const { body, down, relay, atCoordinator, coordinator } = await aWorld(21, onTestFinished);
    await down.send(coordinator, body);
    expect(sha256Hex((await atCoordinator.next()).bytes)).toBe(sha256Hex(body));
    expect(relay.carried + relay.lost).toBeLessThan(3 * blocks + 50);
  });

  it('goes down whole, without more datagrams than the losses ask for', { timeout: patienceMs }, async ({
    onTestFinished,
  }) => {
    const { body, up, relay, atDevice, device } = await aWorld(22, onTestFinished);
    await up.send(device, body);
    expect(sha256Hex((await atDevice.next()).bytes)).toBe(sha256Hex(body));
    expect(relay.carried + relay.lost).toBeLessThan(3 * blocks + 50);
  });
});
