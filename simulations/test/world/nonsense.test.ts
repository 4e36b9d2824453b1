import type { Task } from '@shoal/coordinator';
import { World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;
const holds = (model: string, variant: string) => model === 'efficientdet-lite0' && variant === 'int8';
const machines = [
  { name: 'quick', cores: 4, inferenceMs: 25, loadMs: 150, holds },
  { name: 'slow', cores: 4, inferenceMs: 250, loadMs: 150, holds },
] as const;

/** A quick and a slow machine that have measured themselves. */
async function aPair() {
  const world = await World.create({ seed: 1, machines, coordinator: { leaseMs: 10_000 } });
  await world.clock.advance(60_000);
  const [quick, slow] = world.agents;
  if (!quick || !slow) throw new Error('two machines make two agents');
  expect(slow.status?.profiles.length).toBeGreaterThan(0);
  return { world, quick, slow };
}

async function detect({
  coordinator,
  clock,
  settle,
}: Pick<World, 'coordinator' | 'clock'> & { settle: World['settle'] }) {
  const pieces = (async function* () {
    yield new Uint8Array(64);
  })();
  const input = await settle(coordinator.blobs.put(pieces, 'image/jpeg', never));
  const spec = { pipeline: 'detect', input, parameters: {}, deadlineMs: 2_000, labels: {}, maxAttempts: 3 };
  const { id } = await settle(coordinator.tasks.submit(spec));
  await clock.advance(2_500);
  return settle(coordinator.tasks.get(id));
}

/** One task after the other. */
async function detectMany(world: World, count: number): Promise<Task[]> {
  const tasks: Task[] = [];
  const { coordinator, clock } = world;
  for (let n = 0; n < count; n++)
    tasks.push(await detect({ coordinator, clock, settle: (what) => world.settle(what) }));
  return tasks;
}

describe('a device whose profiles say that it is a hundred times as fast as it is', () => {
  it('gets work at first, and none any more once its results are seen', async () => {
    const { world, quick, slow } = await aPair();
    slow.crash();
    slow.disk.profileFactor = 0.01;
    await world.settle(slow.start());
    await world.settle(slow.joined());
    await world.clock.advance(5_000);
    const tasks = await detectMany(world, 20);
    const ranOn = tasks.map(({ attempts }) => attempts.at(-1)?.device);
    expect(tasks.map(({ state }) => state)).toEqual(tasks.map(() => 'succeeded'));
    expect(ranOn[0]).toBe(slow.id);
    expect(ranOn.slice(10)).toEqual(ranOn.slice(10).map(() => quick.id));
    await world.end();
  });
});

describe('a device whose sensors say', () => {
  it.each([Number.NaN, Infinity, -Infinity, -40, 1e300])(
    '%d does its work, or is left alone, and its fleet goes on',
    async (said) => {
      const { world, quick } = await aPair();
      quick.machine.sensorsSay = said;
      await world.clock.advance(10_000);
      const tasks = await detectMany(world, 3);
      expect(tasks.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
      const { presence, telemetry } = world.coordinator.devices.get(quick.id);
      expect(presence).toBe('online');
      for (const value of [telemetry?.cpuLoad, telemetry?.memoryAvailableBytes])
        expect(value).toBeGreaterThanOrEqual(0);
      for (const value of [telemetry?.cpuLoad, telemetry?.temperatureC ?? 0])
        expect(Math.abs(value ?? 0)).toBeLessThan(1_000);
      expect(world.defects).toEqual([]);
      await world.end();
    },
  );
});
