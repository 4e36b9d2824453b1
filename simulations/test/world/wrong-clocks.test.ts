import { World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const yearMs = 365 * 24 * 3_600_000;
const machines = [{ name: 'porch', cores: 4, inferenceMs: 25, loadMs: 150 }];
const work = { pipeline: 'noop', parameters: {}, deadlineMs: 60_000, labels: {}, maxAttempts: 1 };

/** A fleet whose agent starts with a clock that is wrong. */
async function aWorldWith(offMs: number) {
  const world = await World.create({ seed: 11, machines });
  const [agent] = world.agents;
  if (!agent) throw new Error('a machine makes an agent');
  agent.crash();
  agent.wall.offsetMs = offMs;
  await world.settle(agent.start());
  await world.settle(agent.joined());
  await world.clock.advance(5_000);
  return { world, agent };
}

const tooLate = ({ trace }: World) => trace.filter((line) => line.includes('message.expired')).length;

describe.each([
  ['ten years behind', -10 * yearMs],
  ['ten years ahead', 10 * yearMs],
])('a device whose clock is %s', (_, offMs) => {
  it('joins and works', async () => {
    const { world } = await aWorldWith(offMs);
    const { id } = await world.settle(world.coordinator.tasks.submit(work));
    await world.clock.advance(5_000);
    expect(await world.settle(world.coordinator.tasks.get(id))).toMatchObject({ state: 'succeeded' });
    expect(tooLate(world)).toBe(0);
    await world.end();
  });

  it('works when its own clock, or that of its coordinator, is set', async () => {
    const { world, agent } = await aWorldWith(offMs);
    agent.wall.offsetMs = 0;
    world.coordinatorLife.wall.offsetMs = offMs;
    const { id } = await world.settle(world.coordinator.tasks.submit(work));
    await world.clock.advance(5_000);
    expect(await world.settle(world.coordinator.tasks.get(id))).toMatchObject({ state: 'succeeded' });
    await world.end();
  });

  it('does not begin what was held back until nobody wanted it any more', async () => {
    const { world, agent } = await aWorldWith(offMs);
    const { latencyMs } = world.network.options;
    world.network.options = { ...world.network.options, latencyMs: 600_000 };
    void world.coordinator.tasks.submit(work);
    await world.clock.advance(200);
    world.crashCoordinator();
    world.network.options = { ...world.network.options, latencyMs };
    await world.clock.advance(700_000);
    expect(tooLate(world)).toBe(1);
    expect(agent.status?.outbox.waiting).toBe(0);
    await world.end();
  });
});
