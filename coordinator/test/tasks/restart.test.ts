import { ShoalError } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aSpec } from '../support/builders.ts';
import { goodOutcome, never } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const submit = (world: World) => world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 300_000 })));
const silence = () => undefined;

describe('a coordinator that was killed', () => {
  it('goes on with a task that it had acknowledged', async () => {
    const world = await aWorld();
    const task = await submit(world);
    await world.restartAfterCrash();
    await world.joined();
    expect(await world.ended(task.id)).toMatchObject({ id: task.id, state: 'succeeded' });
  });

  it('still expects what runs on a device, and takes its result', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(500);
    await world.restartAfterCrash();
    await world.clock.until(device.hello());
    const [assignment] = device.assignments;
    if (!assignment) throw new Error('nothing was assigned');
    await world.clock.until(device.deliver(goodOutcome(device.identity, assignment)));
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({
      state: 'succeeded',
      attempts: [{ state: 'succeeded' }],
    });
  });

  it('tries a task anew when its device does not know of it any more', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(500);
    await world.restartAfterCrash();
    device.running.clear();
    device.work = (assignment) => goodOutcome(device.identity, assignment);
    await world.clock.until(device.hello());
    expect((await world.ended(task.id)).attempts).toMatchObject([{ state: 'lost' }, { state: 'succeeded' }]);
  });

  it('tries a task anew when its device never comes back', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(500);
    await device.die();
    await world.restartAfterCrash();
    const other = await world.joined();
    expect((await world.ended(task.id)).attempts).toMatchObject([
      { state: 'lost' },
      { state: 'succeeded', device: other.id },
    ]);
  });

  it('offers what was not answered once more, as the same attempt: that is no other try', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await world.clock.until(
      world.coordinator.tasks.submit(aSpec({ deadlineMs: 300_000, maxAttempts: 1 })),
    );
    await world.clock.advance(1);
    await world.restartAfterCrash();
    device.work = (assignment) => goodOutcome(device.identity, assignment);
    await world.clock.until(device.hello());
    const ended = await world.ended(task.id);
    const [first, again] = device.assignments;
    expect(again?.attemptId).toBe(first?.attemptId);
    expect(ended).toMatchObject({ state: 'succeeded', attempts: [{ id: first?.attemptId, state: 'succeeded' }] });
  });

  it('gives no other try to a task that had all of them, and whose end it died with', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = ({ taskId, attemptId }) => {
      world.disk.failure = new ShoalError('io.disk-full', 'full');
      return { taskId, attemptId, errorCode: 'engine.failed', errorMessage: 'a bad day' };
    };
    const task = await world.clock.until(
      world.coordinator.tasks.submit(aSpec({ deadlineMs: 300_000, maxAttempts: 1 })),
    );
    await world.clock.advance(500);
    // Its failure becomes durable; its end does not.
    world.disk.failure = undefined;
    await world.clock.advance(200);
    expect(world.disk.tasks.get(task.id)).toMatchObject({ state: 'running', attempts: [{ state: 'failed' }] });
    await world.restartAfterCrash();
    expect(await world.ended(task.id)).toMatchObject({ state: 'failed', attempts: [{ state: 'failed' }] });
    expect(device.assignments).toHaveLength(1);
  });

  it('does not wait for the attempt of a device that was revoked', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(500);
    // The revocation became durable, and what it did to the task did not.
    const record = world.disk.devices.get(device.id);
    if (!record) throw new Error('the device is not recorded');
    world.disk.devices.set(device.id, { ...record, revoked: true });
    await world.restartAfterCrash();
    const other = await world.joined();
    expect((await world.ended(task.id)).attempts).toMatchObject([
      { state: 'lost', reason: 'the device was revoked' },
      { state: 'succeeded', device: other.id },
    ]);
  });

  it('calls off what it does not know of', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.running.add('att_forgotten');
    await world.clock.until(device.hello());
    await world.clock.advance(100);
    expect(device.cancelled).toEqual(['att_forgotten']);
  });

  it('lets a task expire whose deadline passed while it was down', async () => {
    const world = await aWorld();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 1_000 })));
    await world.clock.until(world.coordinator.stop());
    await world.clock.advance(60_000);
    await world.restart();
    const ended = await world.ended(task.id);
    expect(ended.state).toBe('expired');
  });

  it('believes no message again that it believed before, once that had an effect', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const task = await submit(world);
    await world.ended(task.id);
    const before = world.disk.received.get(device.id) ?? 0;
    expect(before).toBeGreaterThan(0);
    await world.restartAfterCrash();
    // The device would be refused if the coordinator's own sequences began anew.
    await world.clock.until(device.hello());
    const again = await submit(world);
    expect(await world.ended(again.id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a coordinator that drains', () => {
  it('takes no new task, and lets those that run end', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(10);
    const drained = world.coordinator.drain(never);
    await world.clock.advance(1);
    await expect(world.coordinator.tasks.submit(aSpec())).rejects.toMatchObject({ code: 'closed' });
    const [assignment] = device.assignments;
    if (!assignment) throw new Error('nothing was assigned');
    await world.clock.until(device.deliver(goodOutcome(device.identity, assignment)));
    await world.clock.until(drained);
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'succeeded' });
  });
});
