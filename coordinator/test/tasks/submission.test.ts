import { ShoalError } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { Task, TaskSpec } from '../../src/domain/index.ts';
import { aSpec } from '../support/builders.ts';
import { goodOutcome } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const submit = (world: World, change: Partial<TaskSpec> = {}, key?: string): Promise<Task> =>
  world.clock.until(world.coordinator.tasks.submit(aSpec(change), key));

describe('the input of a task', () => {
  it('goes along with the offer when it is small', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const input = await world.blob('a small picture');
    const ended = await world.ended((await submit(world, { pipeline: 'detect', model: 'tiny-detector', input })).id);
    expect(ended).toMatchObject({ state: 'succeeded', attempts: [{ model: 'tiny-detector', variant: 'int8' }] });
    expect(Buffer.from(device.inputs[0] ?? []).toString()).toBe('a small picture');
  });

  it('is fetched in pieces when it is large', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const text = 'x'.repeat(1_200_000);
    const input = await world.blob(text);
    const pieces: Uint8Array[] = [];
    device.work = async (assignment) => {
      for (let offset = 0; offset < assignment.inputSizeBytes; offset += 500_000) {
        const reply = await device.messenger.request(
          world.identity.id,
          { blobRequest: { digest: assignment.inputDigest, offset, length: 500_000 } },
          { timeoutMs: 1_000 },
        );
        pieces.push(reply.attachments[0] ?? new Uint8Array());
      }
      return goodOutcome(device.identity, assignment);
    };
    expect(
      await world.ended((await submit(world, { pipeline: 'detect', model: 'tiny-detector', input })).id),
    ).toMatchObject({
      state: 'succeeded',
    });
    expect(device.inputs).toEqual([]);
    expect(Buffer.concat(pieces).toString()).toBe(text);
  });

  it('has to be there before the task', async () => {
    const world = await aWorld();
    const input = { digest: 'a'.repeat(64), sizeBytes: 3, mediaType: 'image/jpeg' };
    await expect(submit(world, { pipeline: 'detect', model: 'tiny-detector', input })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('that was lost fails the task, with the reason', async () => {
    const world = await aWorld();
    const input = await world.blob('soon gone');
    const task = await submit(world, { pipeline: 'detect', model: 'tiny-detector', input });
    await world.blobs.remove(input.digest);
    await world.joined();
    expect(await world.ended(task.id)).toMatchObject({ state: 'failed', errorCode: 'not-found' });
  });
});

describe('an idempotency key', () => {
  it.each<[string, Partial<TaskSpec>]>([
    ['parameters of too many levels', { parameters: { x: JSON.parse('['.repeat(200) + ']'.repeat(200)) } }],
    ['half a character', { labels: { site: '\ud800' } }],
  ])('is used for another task when it comes with what cannot be compared: %s', async (_, change) => {
    const world = await aWorld();
    await submit(world, {}, 'order-7');
    await expect(submit(world, change, 'order-7')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('returns the first task: at once, after its end, and after a restart', async () => {
    const world = await aWorld();
    await world.joined();
    const [a, b] = await world.clock.until(
      Promise.all([
        world.coordinator.tasks.submit(aSpec(), 'order-7'),
        world.coordinator.tasks.submit(aSpec(), 'order-7'),
      ]),
    );
    expect(b.id).toBe(a.id);
    await world.ended(a.id);
    expect((await submit(world, {}, 'order-7')).id).toBe(a.id);
    await world.restartAfterCrash();
    expect((await submit(world, {}, 'order-7')).id).toBe(a.id);
    expect(world.disk.tasks.size).toBe(1);
  });

  it('cannot stand for two different tasks', async () => {
    const world = await aWorld();
    const first = await submit(world, {}, 'order-7');
    await expect(submit(world, { deadlineMs: 1_234 }, 'order-7')).rejects.toMatchObject({
      code: 'conflict',
      facts: { task: first.id },
    });
  });

  it('can be used again when the first submission was refused', async () => {
    const world = await aWorld();
    await expect(submit(world, { deadlineMs: -1 }, 'k')).rejects.toMatchObject({ code: 'input.invalid' });
    expect((await submit(world, {}, 'k')).state).toBe('queued');
  });

  it('of a task that was written but could not be flushed, and so was refused, is that of a task that is done', async () => {
    const world = await aWorld();
    await world.joined();
    const write = world.disk.apply.bind(world.disk);
    world.disk.apply = (writes) => {
      write(writes);
      throw new ShoalError('io.failed', 'EIO');
    };
    await expect(submit(world, {}, 'k')).rejects.toMatchObject({ code: 'io.failed' });
    world.disk.apply = write;
    const task = await submit(world, {}, 'k');
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
    expect(world.disk.tasks.size).toBe(1);
  });
});

describe('a submission', () => {
  const wrong: [string, Partial<TaskSpec>, string][] = [
    ['an unknown pipeline', { pipeline: 'guess' }, 'input.invalid'],
    ['an unknown model', { pipeline: 'detect', model: 'yolo' }, 'model.unknown'],
    ['an unknown variant', { pipeline: 'detect', model: 'tiny-detector', variant: 'int2' }, 'model.unknown'],
    ['a model of the wrong kind', { pipeline: 'detect', model: 'tiny-classifier' }, 'input.invalid'],
    ['a model where none is taken', { model: 'tiny-detector' }, 'input.invalid'],
    ['no input where one is needed', { pipeline: 'detect', model: 'tiny-detector' }, 'input.invalid'],
    ['no deadline', { deadlineMs: Number.NaN }, 'input.invalid'],
    ['a deadline in a hundred years', { deadlineMs: 1e13 }, 'input.invalid'],
    ['no attempts', { maxAttempts: 0 }, 'input.invalid'],
    ['a label that is none', { labels: { 'not a name': 'x' } }, 'input.invalid'],
    ['a device that is none', { device: 'pi' }, 'input.invalid'],
    [
      'parameters of too many levels',
      { parameters: { x: JSON.parse('['.repeat(98) + ']'.repeat(98)) } },
      'input.invalid',
    ],
    ['parameters beyond measure', { parameters: { x: 'y'.repeat(20_000) } }, 'input.invalid'],
  ];
  it.each(wrong)('with %s is refused and leaves nothing behind', async (_, change, code) => {
    const world = await aWorld();
    await expect(submit(world, change)).rejects.toMatchObject({ code });
    expect(world.disk.tasks.size).toBe(0);
  });

  it('is refused when too many tasks have not ended, and taken again when one has', async () => {
    const world = await aWorld({ config: { liveTaskLimit: 3 } });
    const tasks = [await submit(world), await submit(world), await submit(world)];
    await expect(submit(world)).rejects.toMatchObject({ code: 'queue.full' });
    await world.clock.until(world.coordinator.tasks.cancel(tasks[0]?.id ?? ''));
    expect((await submit(world)).state).toBe('queued');
  });

  it('is on its way before it is on the disk, and is called off when it cannot be recorded', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = () => new Promise(() => {});
    world.disk.failure = new ShoalError('io.disk-full', 'full');
    await expect(submit(world)).rejects.toMatchObject({ code: 'io.disk-full' });
    await world.clock.advance(100);
    expect(device.assignments).toHaveLength(1);
    expect(device.cancelled).toEqual(device.assignments.map(({ attemptId }) => attemptId));
    world.disk.failure = undefined;
    await world.clock.advance(100);
    expect(world.disk.tasks.size).toBe(0);
    expect(world.coordinator.health().tasks).toEqual({ queued: 0, running: 0 });
  });

  it('is written along with its end when its submitter waits for that anyway', async () => {
    const world = await aWorld();
    await world.joined();
    const before = world.store.counts.commits;
    const ended = await world.clock.until(world.coordinator.tasks.submit(aSpec(), undefined, true));
    expect(ended.state).toBe('succeeded');
    expect(world.disk.tasks.get(ended.id)).toEqual(ended);
    expect(world.store.counts.commits - before).toBe(1);
  });

  it('is on the disk soon when its submitter waits and its end does not come', async () => {
    const world = await aWorld();
    const startMs = world.clock.monotonicMs();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec(), undefined, true));
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(10);
    expect(world.disk.tasks.has(task.id)).toBe(true);
  });

  it('is refused while the disk is full, and nothing is half there', async () => {
    const world = await aWorld();
    world.disk.failure = new ShoalError('io.disk-full', 'full');
    await expect(submit(world)).rejects.toMatchObject({ code: 'io.disk-full' });
    expect(world.coordinator.health()).toMatchObject({
      status: 'degraded',
      checks: { store: { ok: false, detail: 'full' } },
    });
    world.disk.failure = undefined;
    expect((await submit(world)).state).toBe('queued');
    expect(world.coordinator.health().checks['store']?.ok).toBe(true);
  });
});
