import { describe, expect, it } from 'vitest';
import { aSpec } from '../support/builders.ts';
import { aWorld } from '../support/world.ts';

const hourMs = 3_600_000;

describe('a wall clock that is set right while a task waits', () => {
  it('does not take its time from it: set forwards by hours, the task still finds a device', async () => {
    const world = await aWorld();
    const input = await world.blob('a picture');
    const spec = aSpec({ pipeline: 'detect', model: 'tiny-detector', input, deadlineMs: 60_000 });
    const task = await world.clock.until(world.coordinator.tasks.submit(spec));
    world.clock.jump(5 * hourMs);
    const device = await world.joined();
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
    expect(device.assignments[0]?.timeLeftMs).toBeGreaterThan(50_000);
  });

  it('does not give it more: set back by hours, the task expires when it should', async () => {
    const world = await aWorld();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 60_000 })));
    world.clock.jump(-5 * hourMs);
    expect(await world.ended(task.id, 61_000)).toMatchObject({ state: 'expired' });
  });

  it('does not give it more over a restart either', async () => {
    const world = await aWorld();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 60_000 })));
    world.clock.jump(-5 * hourMs);
    await world.restartAfterCrash();
    expect(await world.ended(task.id, 61_000)).toMatchObject({ state: 'expired' });
  });
});
