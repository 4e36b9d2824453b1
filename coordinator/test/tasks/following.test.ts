import { ShoalError } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { Task, TaskSpec } from '../../src/domain/index.ts';
import { aSpec } from '../support/builders.ts';
import { never } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const submit = (world: World, change: Partial<TaskSpec> = {}, key?: string): Promise<Task> =>
  world.clock.until(world.coordinator.tasks.submit(aSpec(change), key));

const silence = () => undefined;

describe('whoever follows a task', () => {
  it('sees how it stands first, and its end last', async () => {
    const world = await aWorld();
    const task = await submit(world);
    const states: string[] = [];
    const following = (async () => {
      for await (const seen of world.coordinator.tasks.watch(task.id, never)) states.push(seen.state);
    })();
    await world.clock.advance(10);
    await world.joined();
    await world.clock.until(following);
    expect(states.at(0)).toBe('queued');
    expect(states.at(-1)).toBe('succeeded');
  });

  it('is let go when it gives up', async () => {
    const world = await aWorld();
    const task = await submit(world);
    const giveUp = new AbortController();
    const seen: Task[] = [];
    const following = (async () => {
      for await (const each of world.coordinator.tasks.watch(task.id, giveUp.signal)) seen.push(each);
    })();
    const waiting = world.coordinator.tasks.wait(task.id, 60_000, giveUp.signal);
    await world.clock.advance(10);
    giveUp.abort(new ShoalError('aborted', 'enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await following;
    expect(seen).toHaveLength(1);
  });

  it('gets the task as it stands when the wait is over', async () => {
    const world = await aWorld();
    const task = await submit(world);
    expect(await world.clock.until(world.coordinator.tasks.wait(task.id, 500, never))).toMatchObject({
      state: 'queued',
    });
  });

  it('finds tasks in lists, by their state as it is now', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const done = await submit(world);
    await world.ended(done.id);
    device.work = silence;
    const running = await submit(world);
    await world.clock.advance(10);
    const list = async (state?: 'running' | 'succeeded') =>
      (await world.clock.until(world.coordinator.tasks.list({ limit: 10, ...(state && { state }) }))).items.map(
        ({ id }) => id,
      );
    expect(await list()).toEqual([running.id, done.id]);
    expect(await list('running')).toEqual([running.id]);
    expect(await list('succeeded')).toEqual([done.id]);
    await expect(world.coordinator.tasks.get('tsk_none')).rejects.toMatchObject({ code: 'not-found' });
  });
});
