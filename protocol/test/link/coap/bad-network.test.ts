import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newIdentity, seededRandom, sha256Hex, silentLogger } from '@shoal/protocol';
import { CoapServer, createCoapCoordinatorLink, createCoapDeviceLink } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import { listenTo } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { BlobResource } from './blob-resource.ts';
import { UdpRelay } from './udp-relay.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const random = seededRandom(7);
const closers: (() => Promise<unknown>)[] = [];
/** One datagram in ten is lost in each direction, each takes 50 ms there and 50 ms back, some twice, some overtaken by later ones. */
const bad = { loss: 0.1, doubled: 0.05, delayMs: 45, jitterMs: 10 };

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('over a network that loses every tenth datagram and takes 100 ms there and back', () => {
  it('every frame of ten devices comes, whole, once and in order, in both directions', {
    timeout: 120_000,
  }, async () => {
    const common = { clock: systemClock, logger: silentLogger };
    const coordinatorId = newIdentity('coordinator', random).id;
    const coordinator = createCoapCoordinatorLink({ ...common, host: '127.0.0.1', port: 0, random });
    await coordinator.start(never);
    closers.push(() => coordinator.stop());
    const relay = await UdpRelay.start({ ...bad, toPort: coordinator.port, seed: 3 });
    closers.push(() => relay.stop());
    const heard = new Map<string, Buffer[]>();
    coordinator.subscribe({
      onFrame: (frame, from) => heard.set(from, [...(heard.get(from) ?? []), Buffer.from(frame)]),
    });
    const presence = listenTo(coordinator);
    const frames = Array.from({ length: 6 }, (_, i) => random.bytes(i % 2 === 0 ? 200 : 6_000));

    const talk = async () => {
      const identity = newIdentity('device', random);
      const urls = [`coap://127.0.0.1:${relay.port}`];
      const device = createCoapDeviceLink({ ...common, random, urls, identity, coordinator: coordinatorId });
      closers.push(() => device.stop());
      const atDevice = listenTo(device);
      await device.start(never);
      await atDevice.reachable(coordinatorId, true);
      await presence.reachable(identity.id, true);
      for (const frame of frames) {
        await device.send(coordinatorId, frame);
        await coordinator.send(identity.id, frame);
      }
      const down: Uint8Array[] = [];
      while (down.length < frames.length) down.push((await atDevice.next()).bytes);
      while ((heard.get(identity.id)?.length ?? 0) < frames.length) await presence.next();
      expect(digests(down)).toEqual(digests(frames));
      expect(digests(heard.get(identity.id) ?? [])).toEqual(digests(frames));
    };
    await Promise.all(Array.from({ length: 10 }, talk));
    expect(relay.lost / (relay.lost + relay.carried)).toBeCloseTo(0.1, 1);
  });

  it.skipIf(spawnSync('coap-client-notls', ['-h']).error)(
    'libcoap’s client puts and gets what it wants to',
    { timeout: 120_000 },
    async () => {
      const blob = new BlobResource();
      const server = new CoapServer(
        { clock: systemClock, random, logger: silentLogger },
        {
          host: '127.0.0.1',
          port: 0,
          limits: { maxHalfDone: 10, maxHalfDoneBytes: 1 << 20, halfDoneMs: 60_000 },
          links: [],
          find: () => blob,
        },
      );
      await server.start();
      closers.push(() => server.stop());
      const relay = await UdpRelay.start({ ...bad, doubled: 0, toPort: server.port, seed: 4 });
      closers.push(() => relay.stop());
      const folder = await mkdtemp(join(tmpdir(), 'shoal-coap-'));
      closers.push(() => rm(folder, { recursive: true }));
      const [up, down] = [join(folder, 'up'), join(folder, 'down')];
      const body = Buffer.from(random.bytes(8_000));
      await writeFile(up, body);
      const url = `coap://127.0.0.1:${relay.port}/blob`;
      await run('coap-client-notls', ['-m', 'put', '-f', up, '-b', '1024', '-B', '90', url]);
      expect(blob.bodies[0]?.equals(body)).toBe(true);
      await run('coap-client-notls', ['-o', down, '-b', '1024', '-B', '90', url]);
      expect((await readFile(down)).equals(body)).toBe(true);
    },
  );
});

function digests(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => sha256Hex(frame));
}
