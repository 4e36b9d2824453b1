import { describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../src/domain/index.ts';
import { mostTogether } from '../../src/placement/index.ts';
import { aCapability, aProfile, aSpec } from '../support/builders.ts';
import { aModelSha256, goodOutcome } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const config = { strategy: 'min-cost-flow' };

/** A world with a quick device and a slow one, which know what they take. */
async function aFleet(options: { strategy: string } = config) {
  const world = await aWorld({ config: options });
  const profile = { model: 'tiny-detector', sha256: aModelSha256, energyMj: 10 };
  const capability = aCapability({ taskSlots: 1 });
  const quick = await world.joined({ capability, profiles: [aProfile({ ...profile, p50Ms: 50, p95Ms: 52 })] });
  const slow = await world.joined({ capability, profiles: [aProfile({ ...profile, p50Ms: 76, p95Ms: 77 })] });
  for (const device of [quick, slow]) device.telemetry({ telemetry: { loadedModels: ['tiny-detector/int8'] } });
  await world.clock.advance(100);
  const input = await world.blob('a picture');
  return { world, quick, slow, of: (change: Partial<TaskSpec>) => specOf(input, change) };
}

const specOf = (input: NonNullable<TaskSpec['input']>, change: Partial<TaskSpec>) =>
  aSpec({ pipeline: 'detect', model: 'tiny-detector', variant: 'int8', input, ...change });

const submitAll = (world: World, specs: readonly TaskSpec[]) =>
  world.clock.until(Promise.all(specs.map((spec) => world.coordinator.tasks.submit(spec))));

describe('with a strategy that places several together', () => {
  const whoDoes = async (strategy: string) => {
    const { world, quick, slow, of } = await aFleet({ strategy });
    const tasks = await submitAll(world, [of({ deadlineMs: 10_000 }), of({ deadlineMs: 75 })]);
    await world.clock.advance(100);
    const ended = await Promise.all(tasks.map(({ id }) => world.coordinator.tasks.get(id)));
    const names = new Map([
      [quick.id, 'quick'],
      [slow.id, 'slow'],
    ]);
    return ended.map(({ attempts }) => names.get(attempts[0]?.device ?? ''));
  };

  it('what came first leaves the quick device to what has less time', async () => {
    expect(await whoDoes('cost')).toEqual(['quick', 'quick']);
    expect(await whoDoes('min-cost-flow')).toEqual(['slow', 'quick']);
  });

  it('a task waits for others no longer than some ms', async () => {
    const { world, quick, of } = await aFleet();
    await submitAll(world, [of({})]);
    await world.clock.advance(3);
    expect(quick.assignments).toHaveLength(0);
    await world.clock.advance(3);
    expect(quick.assignments).toHaveLength(1);
  });

  it('more than are decided on at a time are all done, and those that wait meanwhile say why', async () => {
    const { world, quick, slow, of } = await aFleet();
    const work = Promise.withResolvers<void>();
    for (const device of [quick, slow]) {
      device.work = async (assignment) => {
        await work.promise;
        return goodOutcome(device.identity, assignment);
      };
    }
    const specs = Array.from({ length: 2 * mostTogether + 1 }, () => of({}));
    const tasks = await submitAll(world, specs);
    await world.clock.advance(10);
    const { queued, running } = world.coordinator.health().tasks;
    expect([running > 20, queued > 20]).toEqual([true, true]);
    const waiting = await Promise.all(tasks.map(({ id }) => world.coordinator.tasks.get(id)));
    expect(waiting.filter(({ reason = '' }) => reason.includes('are busy')).length).toBeGreaterThan(0);
    // One more is not gathered: it stands behind those that wait.
    await submitAll(world, [of({})]);
    expect(world.clock.pending()).not.toContain('tasks: place together');
    work.resolve();
    for (const { id } of tasks) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
  });

  it('a task that nobody can take waits as with any other, and says why', async () => {
    const world = await aWorld({ config });
    const [task] = await submitAll(world, [aSpec()]);
    await world.clock.advance(10);
    expect(await world.coordinator.tasks.get(task?.id ?? '')).toMatchObject({ reason: 'no device has joined' });
    await world.joined();
    expect(await world.ended(task?.id ?? '')).toMatchObject({ state: 'succeeded' });
  });

  it('nothing is left behind of what was being gathered when it stops', async () => {
    const { world, quick, of } = await aFleet();
    await submitAll(world, [of({})]);
    expect(world.clock.pending()).toContain('tasks: place together');
    await world.clock.until(world.coordinator.stop());
    expect(world.clock.pending()).not.toContain('tasks: place together');
    expect(quick.assignments).toHaveLength(0);
  });
});
