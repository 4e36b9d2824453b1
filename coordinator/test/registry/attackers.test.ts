import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Body,
  Envelope,
  type Identity,
  identityFromSeed,
  type Link,
  type MessageInit,
  type PeerId,
  sealEnvelope,
  seededRandom,
  strangerFrameBytes,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aSpec } from '../support/builders.ts';
import { goodOutcome, never, type ScriptedDevice } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const stranger = identityFromSeed('device', new Uint8Array(32).fill(9));
const laterSequence = 1_000_000;
/** What the attacker wants to be believed: that a device is busy, and that it has left. */
const lies: readonly MessageInit[] = [{ telemetry: { cpuLoad: 0.987 } }, { goodbye: { reason: 'stopped' } }];

/** Somebody who sees and sends everything on the network, and a device of the fleet that has turned. */
interface Scene {
  readonly world: World;
  readonly victim: ScriptedDevice;
  readonly turned: ScriptedDevice;
  /** What the victim has said so far. */
  readonly recorded: readonly Uint8Array[];
  send(frame: Uint8Array): Promise<void>;
}

async function aScene(): Promise<Scene> {
  const world = await aWorld();
  const recorded: Uint8Array[] = [];
  const victim = await world.joined({ link: (id) => tapped(world.hub.link(id), recorded) });
  const turned = await world.joined();
  await world.clock.advance(6_000);
  const wire = world.hub.link('the wire');
  await wire.start(never);
  return { world, victim, turned, recorded, send: (frame) => wire.send(world.identity.id, frame) };
}

function tapped(link: Link, recorded: Uint8Array[]): Link {
  const send = link.send.bind(link);
  return Object.assign(link, {
    send(to: PeerId, frame: Uint8Array) {
      recorded.push(Uint8Array.from(frame));
      return send(to, frame);
    },
  });
}

/** Lies in the name of one peer, signed by another. */
function forged(sender: PeerId, by: Identity, recipient: PeerId, change: { readonly publicKey?: Uint8Array } = {}) {
  const body = Body.encode({ version: 1, sender, recipient, sequence: laterSequence, messages: lies });
  const signature = by.sign(Buffer.concat([Buffer.from('shoal-envelope-v1\0'), body]));
  return Envelope.encode({ body, algorithm: 'ed25519', signature, ...change });
}

const flipped = (frame: Uint8Array, bit: number) =>
  Uint8Array.from(frame, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
const every = (count: number, step: number) => Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);

type Attack = (scene: Scene) => readonly Uint8Array[];
const attacks: Readonly<Record<string, readonly [codes: readonly string[], attack: Attack]>> = {
  'forges with the key of a stranger': [
    ['message.signature'],
    ({ victim, world }) => [forged(victim.id, stranger, world.identity.id)],
  ],
  'forges with the key of another device of the fleet, and introduces it': [
    ['message.signature'],
    ({ victim, turned, world }) => [
      forged(victim.id, turned.identity, world.identity.id),
      forged(victim.id, turned.identity, world.identity.id, { publicKey: turned.identity.publicKey }),
    ],
  ],
  'speaks for the coordinator to itself': [
    ['device.unknown'],
    ({ turned, world }) => [forged(world.identity.id, turned.identity, world.identity.id)],
  ],
  'repeats all that was said, in any order': [
    ['message.replayed'],
    ({ recorded }) => [...recorded, ...recorded.toReversed(), ...recorded],
  ],
  'cuts what was said anywhere': [
    [
      'message.malformed',
      'message.signature',
      'message.replayed',
      'message.version',
      'message.misaddressed',
      'device.unknown',
    ],
    ({ victim, world }) => {
      const frame = genuine(victim, world.identity.id);
      return every(frame.length, 1).map((length) => frame.subarray(0, length));
    },
  ],
  'changes any one bit': [
    [
      'message.malformed',
      'message.signature',
      'message.replayed',
      'message.version',
      'message.misaddressed',
      'device.unknown',
    ],
    ({ victim, world }) => {
      const frame = genuine(victim, world.identity.id);
      return every(frame.length * 8, 3).map((bit) => flipped(frame, bit));
    },
  ],
  'brings what was said to another coordinator, or to a device': [
    ['message.misaddressed'],
    ({ victim, turned }) => [
      genuine(victim, identityFromSeed('coordinator', new Uint8Array(32).fill(8)).id),
      genuine(victim, turned.id),
    ],
  ],
  'sends back what the coordinator said': [
    ['message.misaddressed'],
    ({ victim, world }) => [
      sealEnvelope(world.identity, { recipient: victim.id, sequence: 7, sentAtMs: 1, messages: lies }),
    ],
  ],
  'sends more than a stranger may': [
    ['message.too-large'],
    ({ world }) => [
      sealEnvelope(stranger, {
        ...{ recipient: world.identity.id, sequence: 1, sentAtMs: 1, messages: lies, introduce: true },
        attachments: [new Uint8Array(strangerFrameBytes)],
      }),
    ],
  ],
  'sends noise': [
    ['message.malformed', 'message.version'],
    () => Array.from({ length: 2_000 }, (_, i) => seededRandom(i).bytes(i % 300)),
  ],
};

/** What the victim might say next, and does not. */
function genuine(victim: ScriptedDevice, recipient: PeerId): Uint8Array {
  return sealEnvelope(victim.identity, { recipient, sequence: laterSequence, sentAtMs: 1, messages: lies });
}

describe('an attacker on the network of a fleet', () => {
  it.each(Object.entries(attacks))('that %s changes nothing, and is counted', async (_, [codes, attack]) => {
    const scene = await aScene();
    const { world, victim } = scene;
    const before = world.coordinator.devices.get(victim.id);
    const refusedBefore = sum(world.coordinator.statistics().framesRefused);
    const frames = attack(scene);
    for (const frame of frames) await scene.send(frame);
    await world.clock.advance(100);
    const { framesRefused } = world.coordinator.statistics();
    expect(sum(framesRefused) - refusedBefore).toBe(frames.length);
    for (const code of Object.keys(framesRefused)) expect(codes).toContain(code);
    expect(world.coordinator.devices.get(victim.id)).toEqual(before);
    expect(world.coordinator.devices.list()).toHaveLength(2);
    // What the victim itself says is believed as before: nothing of its sequence was used up.
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ device: victim.id })));
    expect((await world.ended(task.id)).state).toBe('succeeded');
  });
});

function bytesInUse(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

describe('a network that loses, doubles and reorders', () => {
  it('loses nothing that was acknowledged and does nothing twice', async () => {
    const random = seededRandom(11);
    let isBad = false;
    const route = () => {
      if (!isBad) return [1];
      if (random.next() < 0.25) return [];
      const delays = [random.next() * 400];
      return random.next() < 0.4 ? [...delays, random.next() * 400] : delays;
    };
    const world = await aWorld({ hub: { route } });
    const devices: ScriptedDevice[] = [];
    for (let n = 0; n < 3; n++) devices.push(await world.joined());
    const worked = new Map<string, number>();
    for (const device of devices) {
      device.work = (assignment) => {
        worked.set(assignment.attemptId, (worked.get(assignment.attemptId) ?? 0) + 1);
        return goodOutcome(device.identity, assignment);
      };
    }
    isBad = true;
    const ids: string[] = [];
    for (let n = 0; n < 60; n++) {
      ids.push((await world.clock.until(world.coordinator.tasks.submit(aSpec({ maxAttempts: 10 })))).id);
      await world.clock.advance(50);
    }
    for (const id of ids) expect((await world.ended(id)).state).toBe('succeeded');
    // Every attempt that was handed out was worked on once, however often its offer came.
    expect([...worked.values()].filter((times) => times !== 1)).toEqual([]);
    for (const id of ids)
      expect(await world.clock.until(world.coordinator.results.ofTask(id))).toMatchObject({ work: { task: id } });
    const { framesRefused, resultsKept } = world.coordinator.statistics();
    expect(resultsKept).toBe(ids.length);
    expect(Object.keys(framesRefused)).toEqual(['message.replayed']);
  });
});

describe('strangers without number', () => {
  it('take no lasting room of the coordinator', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const wire = world.hub.link('the wire');
    await wire.start(never);
    const say = async (count: number, from: number) => {
      for (let n = 0; n < count; n++) {
        const seed = new Uint8Array(32);
        new DataView(seed.buffer).setUint32(0, from + n);
        const one = identityFromSeed('device', seed);
        const messages = [{ id: 1, hello: { tokenId: 'tok_none', tokenProof: new Uint8Array(32) } }];
        const frame = sealEnvelope(one, {
          recipient: world.identity.id,
          sequence: 1,
          sentAtMs: 1,
          messages,
          introduce: true,
        });
        await wire.send(world.identity.id, frame);
        if (n % 100 === 99) await world.clock.advance(10);
      }
    };
    // What is answered to the first thousand is kept for a while.
    await say(1_100, 0);
    const before = bytesInUse();
    await say(1_500, 10_000);
    // A kilobyte for each would be twice as much.
    expect(bytesInUse() - before).toBeLessThan(750_000);
    expect(world.coordinator.devices.list().map(({ id }) => id)).toEqual([device.id]);
    const { id } = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    expect((await world.ended(id)).state).toBe('succeeded');
  });
});
