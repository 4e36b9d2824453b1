import type { Task } from '@shoal/coordinator';
import { newIdentity, seededRandom, verifyBundle } from '@shoal/protocol';
import { World, type WorldParts } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const holds = (model: string, variant: string) => model === 'efficientdet-lite0' && variant === 'int8';
const machines = [{ name: 'porch', cores: 4, inferenceMs: 25, loadMs: 150, holds }];
const next = newIdentity('device', seededRandom(77));
const camera = {
  name: 'door',
  source: 'rtsp://fine/',
  pipeline: 'detect',
  targetFps: 2,
  parameters: {},
  loop: false,
  labels: {},
};

/** One agent that has named, labelled, worked and watched, and is stopped to get another key. */
async function aWorldBefore(parts: WorldParts = {}) {
  const world = await World.create({ seed: 3, machines, parts });
  const [agent] = world.agents;
  if (!agent) throw new Error('a machine makes an agent');
  const former = agent.id;
  const change = { name: 'front door', labels: { site: 'shop' }, power: { floorPct: 40 } };
  await world.settle(world.coordinator.devices.update(former, change));
  const { id: watched } = await world.settle(world.coordinator.cameras.create(camera));
  const before = await aTaskDone(world);
  agent.crash();
  agent.prepareNewKey(next);
  return { world, agent, former, before, watched };
}

async function aTaskDone(world: World): Promise<Task> {
  const spec = { pipeline: 'noop', parameters: {}, deadlineMs: 60_000, labels: {}, maxAttempts: 5 };
  const { id } = await world.settle(world.coordinator.tasks.submit(spec));
  await world.clock.advance(30_000);
  return world.settle(world.coordinator.tasks.get(id));
}

/** The device is known by its new key alone, and is what it was; what it did under the old one can still be verified. */
async function expectNewKey({ world, agent, former, before, watched }: Awaited<ReturnType<typeof aWorldBefore>>) {
  await world.clock.advance(60_000);
  expect(agent.status?.membership).toBe('joined');
  const { devices, results } = world.coordinator;
  expect(devices.list()).toHaveLength(2);
  expect(devices.get(next.id)).toMatchObject({
    ...{ presence: 'online', name: 'front door', labels: { site: 'shop' }, power: { floorPct: 40 }, revoked: false },
    follows: { device: former },
  });
  expect(devices.get(former)).toMatchObject({ presence: 'offline', revoked: true, followedBy: next.id });
  const record = await world.settle(results.ofTask(before.id));
  expect(record.device).toBe(former);
  expect(verifyBundle(results.bundle(record)).device.id).toBe(former);
  const after = await aTaskDone(world);
  expect(after).toMatchObject({ state: 'succeeded', attempts: [{ device: next.id }] });
  expect(world.coordinator.cameras.get(watched)).toMatchObject({ device: next.id, service: { met: true } });
  const { items } = await world.settle(results.ofCamera(watched, { limit: 500 }));
  expect(new Set(items.map(({ device }) => device))).toEqual(new Set([next.id, former]));
  expect(world.disk.devices.get(former)).toMatchObject({ revoked: true, followedBy: next.id });
  expect(world.defects).toEqual([]);
  await world.end();
}

describe('a device with a new key', () => {
  it('goes on under another id with its name, its labels and its history, and the old key is refused', async () => {
    const known = await aWorldBefore();
    await known.world.settle(known.agent.start());
    await expectNewKey(known);
  });

  it('does so sealed too, and nobody on the wire reads a word of it', async () => {
    const known = await aWorldBefore({ seals: true });
    known.world.wiretap.listens = true;
    await known.world.settle(known.agent.start());
    await expectNewKey(known);
    const { heardSealed, readable } = known.world.wiretap;
    expect(heardSealed).toBe(true);
    for (const kind of readable) expect(['sessionOffer', 'sessionAnswer', 'sessionLost']).toContain(kind);
  });

  /** Every moment of the change: what is written and sent in it takes some milliseconds. */
  const moments = Array.from({ length: 10 }, (_, step) => 3 * step);

  it.each([
    ['the device', ({ agent }) => agent.crash()],
    ['the coordinator, with its last write,', ({ world }) => world.crashCoordinator('lost')],
    ['the coordinator, without a word of its last write,', ({ world }) => world.crashCoordinator('done')],
  ] as [string, (known: Awaited<ReturnType<typeof aWorldBefore>>) => void][])(
    'has it when %s crashes at any moment of the change',
    async (_, crash) => {
      for (const momentMs of moments) {
        const known = await aWorldBefore();
        const { world, agent } = known;
        void agent.start().catch(() => {});
        await world.clock.advance(momentMs);
        crash(known);
        await world.clock.advance(1_000);
        if (!world.coordinatorIsUp) await world.restartCoordinator();
        if (!agent.isUp) await world.settle(agent.start());
        await expectNewKey(known);
      }
    },
    60_000,
  );
});
