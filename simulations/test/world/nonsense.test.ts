import type { Task } from '@shoal/coordinator';
import { World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;
const machines = [
  { name: 'quick', cores: 4, inferenceMs: 25, loadMs: 150 },
  { name: 'slow', cores: 4, inferenceMs: 250, loadMs: 150 },
] as const;

/** A quick and a slow machine. */
async function aPair() {
  const world = await World.create({ seed: 1, machines, coordinator: { leaseMs: 10_000 } });
  await world.clock.advance(60_000);
  const [quick, slow] = world.agents;
  if (!quick || !slow) throw new Error('two machines make two agents');
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
