import { ShoalError, toHex } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { Task, TaskSpec } from '../../src/domain/index.ts';
import { aCapability, aProfile, aSpec } from '../support/builders.ts';
import { aModelSha256, goodOutcome } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const submit = (world: World, change: Partial<TaskSpec> = {}, key?: string): Promise<Task> =>
  world.clock.until(world.coordinator.tasks.submit(aSpec(change), key));

/** Never says anything about the attempt. */
const silence = () => undefined;

describe('a task', () => {
  it('is durable when it is acknowledged, runs on a device, and its result is kept', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const task = await submit(world);
    expect(world.disk.tasks.has(task.id)).toBe(true);
    const ended = await world.ended(task.id);
    expect(ended).toMatchObject({ state: 'succeeded', attempts: [{ state: 'succeeded', device: device.id }] });
    expect(world.disk.tasks.get(task.id)).toEqual(ended);
    const record = await world.coordinator.results.ofTask(task.id);
    expect(record).toMatchObject({ device: device.id, work: { task: task.id, attempt: ended.attempts[0]?.id } });
    expect(world.coordinator.health().tasks).toEqual({ queued: 0, running: 0 });
  });

  it('waits for a device, says why, and runs once one has joined', async () => {
    const world = await aWorld();
    const task = await submit(world);
    await world.clock.advance(1_000);
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({
      state: 'queued',
      reason: 'no device has joined',
    });
    await world.joined();
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
  });

  it('goes to another device when one will not take it, and keeps the reason', async () => {
    const world = await aWorld();
    const shy = await world.joined();
    shy.admit = () => 'busy';
    const task = await submit(world);
    await world.clock.advance(50);
    const willing = await world.joined();
    const ended = await world.ended(task.id);
    expect(ended).toMatchObject({ state: 'succeeded' });
    expect(ended.attempts.at(0)).toMatchObject({
      state: 'refused',
      device: shy.id,
      reason: expect.stringContaining('busy'),
    });
    expect(ended.attempts.at(-1)).toMatchObject({ state: 'succeeded', device: willing.id });
    expect(ended.attempts.at(-1)?.placement.refused).toContainEqual(
      expect.objectContaining({ device: shy.id, reason: 'busy' }),
    );
  });

  it('is offered again to a device that was busy, less and less often, without using up its attempts', async () => {
    const world = await aWorld();
    const device = await world.joined();
    let offers = 0;
    device.admit = () => (++offers <= 8 ? 'busy' : undefined);
    const ended = await world.ended((await submit(world, { maxAttempts: 1 })).id);
    expect(ended.state).toBe('succeeded');
    expect(ended.attempts.map(({ state }) => state)).toEqual([...Array(8).fill('refused'), 'succeeded']);
    expect((ended.endedAtMs ?? 0) - ended.createdAtMs).toBeGreaterThan(10_000);
  });

  it('is not offered again to a device that cannot do it at all', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.admit = () => 'no-pipeline';
    const ended = await world.ended((await submit(world, { deadlineMs: 30_000 })).id);
    expect(device.assignments).toHaveLength(1);
    expect(ended).toMatchObject({
      state: 'expired',
      errorCode: 'work.expired',
      reason: expect.stringContaining('said that it cannot'),
    });
  });

  it('is tried on another device when the first one dies with it', async () => {
    const world = await aWorld();
    const first = await world.joined();
    first.work = silence;
    const task = await submit(world);
    await world.clock.advance(100);
    const second = await world.joined();
    await first.die();
    const ended = await world.ended(task.id);
    expect(ended.attempts).toMatchObject([
      { state: 'lost', device: first.id, reason: expect.stringContaining('silent') },
      { state: 'succeeded', device: second.id },
    ]);
    expect((ended.endedAtMs ?? 0) - ended.createdAtMs).toBeLessThan(20_000);
  });

  it('is tried on another device when the first one never answers the offer', async () => {
    const world = await aWorld();
    const first = await world.joined();
    await first.link.stop();
    const task = await submit(world);
    const second = await world.joined();
    expect((await world.ended(task.id)).attempts.at(-1)).toMatchObject({ state: 'succeeded', device: second.id });
  });

  it('is tried anew on the only device there is, as often as was allowed, then fails with the last reason', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = ({ taskId, attemptId }) => ({
      taskId,
      attemptId,
      errorCode: 'engine.failed',
      errorMessage: 'it hiccuped',
    });
    const ended = await world.ended((await submit(world, { maxAttempts: 3 })).id);
    expect(device.assignments).toHaveLength(3);
    expect(ended).toMatchObject({
      state: 'failed',
      errorCode: 'engine.failed',
      reason: expect.stringContaining('it hiccuped'),
    });
    expect(ended.attempts.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
  });

  it('prefers a device where it was not tried to one where it failed', async () => {
    const world = await aWorld();
    const bad = await world.joined();
    bad.work = ({ taskId, attemptId }) => ({ taskId, attemptId, errorCode: 'engine.failed', errorMessage: 'no' });
    const task = await submit(world, { deadlineMs: 60_000, maxAttempts: 10 });
    const good = await world.joined();
    good.work = (assignment) => goodOutcome(good.identity, assignment);
    const ended = await world.ended(task.id);
    expect(ended.attempts.filter(({ device }) => device === good.id)).toHaveLength(ended.state === 'succeeded' ? 1 : 0);
  });

  it('fails at once when its input is to blame', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = ({ taskId, attemptId }) => ({
      taskId,
      attemptId,
      errorCode: 'input.corrupt',
      errorMessage: 'it ends early',
    });
    const ended = await world.ended((await submit(world)).id);
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'input.corrupt', reason: 'it ends early' });
    expect(device.assignments).toHaveLength(1);
  });

  it('is handed back by a device that drains, without using up an attempt', async () => {
    const world = await aWorld();
    const device = await world.joined();
    let times = 0;
    device.work = (assignment) => {
      const { taskId, attemptId } = assignment;
      return ++times === 1
        ? { taskId, attemptId, errorCode: 'work.refused', errorMessage: 'draining' }
        : goodOutcome(device.identity, assignment);
    };
    const ended = await world.ended((await submit(world, { maxAttempts: 1 })).id);
    expect(ended.attempts.map(({ state }) => state)).toEqual(['refused', 'succeeded']);
  });

  it('is given up by a device that lives but never ends it, when its lease is over', async () => {
    const world = await aWorld({ config: { leaseMs: 5_000 } });
    const stuck = await world.joined();
    stuck.work = silence;
    const task = await submit(world);
    await world.clock.advance(100);
    const other = await world.joined();
    const ended = await world.ended(task.id);
    expect(ended.attempts).toMatchObject([
      { state: 'lost', reason: 'its lease ran out' },
      { state: 'succeeded', device: other.id },
    ]);
    expect(stuck.cancelled).toEqual([ended.attempts[0]?.id]);
  });
});

describe('the end of a task', () => {
  it('comes when its deadline passes without a device, with the reason', async () => {
    const world = await aWorld();
    const task = await submit(world, { deadlineMs: 5_000 });
    const ended = await world.ended(task.id);
    expect(ended).toMatchObject({
      state: 'expired',
      errorCode: 'work.expired',
      reason: expect.stringContaining('no device'),
    });
    expect((ended.endedAtMs ?? 0) - task.createdAtMs).toBeGreaterThanOrEqual(5_000);
    expect((ended.endedAtMs ?? 0) - task.createdAtMs).toBeLessThan(5_200);
  });

  it('comes when its deadline passes while it runs, and the device is told', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const ended = await world.ended((await submit(world, { deadlineMs: 3_000 })).id);
    expect(ended).toMatchObject({ state: 'expired', attempts: [{ state: 'cancelled' }] });
    await world.clock.advance(100);
    expect(device.cancelled).toEqual([ended.attempts[0]?.id]);
    expect(world.coordinator.devices.get(device.id).running).toBe(0);
  });

  it.each(['waiting', 'running'] as const)('comes when it is cancelled while %s, once and for good', async (stage) => {
    const world = await aWorld();
    const device = stage === 'running' ? await world.joined() : undefined;
    if (device) device.work = silence;
    const task = await submit(world);
    await world.clock.advance(100);
    const [first, second] = await world.clock.until(
      Promise.all([world.coordinator.tasks.cancel(task.id), world.coordinator.tasks.cancel(task.id)]),
    );
    expect(first).toMatchObject({ state: 'cancelled' });
    expect(second).toEqual(first);
    expect(world.disk.tasks.get(task.id)).toEqual(first);
    await world.clock.advance(100);
    if (device) expect(device.cancelled).toHaveLength(1);
    expect(await world.clock.until(world.coordinator.tasks.cancel(task.id))).toEqual(first);
  });

  it('is not undone by a result that comes later: that is acknowledged and dropped', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = silence;
    const task = await submit(world);
    await world.clock.advance(100);
    await world.clock.until(world.coordinator.tasks.cancel(task.id));
    const [assignment] = device.assignments;
    if (!assignment) throw new Error('nothing was assigned');
    await world.clock.until(device.deliver(goodOutcome(device.identity, assignment)));
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'cancelled' });
    await expect(world.coordinator.results.ofTask(task.id)).rejects.toMatchObject({ code: 'not-found' });
    expect(world.coordinator.statistics().resultsDropped).toBe(1);
  });

  it('keeps one result when the same one is delivered again and again', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const task = await submit(world);
    await world.ended(task.id);
    const kept = await world.coordinator.results.ofTask(task.id);
    const [assignment] = device.assignments;
    if (!assignment) throw new Error('nothing was assigned');
    for (let n = 0; n < 3; n++) await world.clock.until(device.deliver(goodOutcome(device.identity, assignment)));
    expect(await world.coordinator.results.ofTask(task.id)).toEqual(kept);
    expect(world.disk.results.size).toBe(1);
  });

  it('is brought by a device that was given up for lost, when it is first; the other one is called off', async () => {
    const world = await aWorld();
    const first = await world.joined();
    first.work = silence;
    const task = await submit(world);
    await world.clock.advance(100);
    const [lost] = first.assignments;
    await first.die();
    const second = await world.joined();
    second.work = silence;
    await world.clock.advance(30_000);
    expect(second.assignments).toHaveLength(1);
    const back = first.again();
    await back.connect();
    if (!lost) throw new Error('nothing was assigned');
    await world.clock.until(back.deliver(goodOutcome(back.identity, lost)));
    const ended = await world.coordinator.tasks.get(task.id);
    expect(ended).toMatchObject({
      state: 'succeeded',
      attempts: [
        { state: 'succeeded', device: first.id },
        { state: 'cancelled', device: second.id },
      ],
    });
    await world.clock.advance(100);
    expect(second.cancelled).toEqual([ended.attempts[1]?.id]);
  });
});

describe('a result that is not what it says', () => {
  const cases = {
    'is about another input': { digest: '0'.repeat(64) },
    'is about another attempt': { attempt: 'att_other' },
  } as const;
  it.each(Object.entries(cases))('%s: it is refused, and the task tried elsewhere', async (_, forged) => {
    const world = await aWorld();
    const liar = await world.joined();
    let answer: unknown;
    liar.work = async (assignment) => {
      await liar.deliver(goodOutcome(liar.identity, assignment, forged)).catch((error) => {
        answer = error;
      });
      return undefined;
    };
    const task = await submit(world, { maxAttempts: 2 });
    await world.clock.advance(10);
    const honest = await world.joined();
    const ended = await world.ended(task.id);
    expect(answer).toMatchObject({ code: 'attestation.invalid' });
    expect(world.coordinator.statistics().resultsRefused).toBeGreaterThan(0);
    // Alone, the liar is asked again until its attempts are over; with another device, that one does it.
    if (ended.state === 'succeeded') expect(ended.attempts.at(-1)?.device).toBe(honest.id);
    else expect(ended).toMatchObject({ state: 'failed', errorCode: 'attestation.invalid' });
    expect([...world.disk.results.values()].some(({ device }) => device === liar.id)).toBe(false);
  });

  it('is signed by another device: it is refused', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const other = await world.joined();
    other.admit = () => 'busy';
    device.work = (assignment) => goodOutcome(other.identity, assignment);
    const ended = await world.ended((await submit(world, { device: device.id, maxAttempts: 1 })).id);
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'attestation.invalid' });
    expect(world.disk.results.size).toBe(0);
  });

  it('is of a model file that is not the one of the manifest: it is refused, with both digests', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = (assignment) => goodOutcome(device.identity, assignment, { sha256: 'f'.repeat(64) });
    const input = await world.blob('a picture');
    const task = await submit(world, { pipeline: 'detect', model: 'tiny-detector', input, maxAttempts: 1 });
    const ended = await world.ended(task.id);
    expect(ended.state).toBe('failed');
    for (const fact of ['model file of tiny-detector', 'f'.repeat(64), toHex(aModelSha256)])
      expect(ended.reason).toContain(fact);
  });

  it('is of an attempt that another device has: it is dropped, and the task goes on', async () => {
    const world = await aWorld();
    const owner = await world.joined();
    owner.work = silence;
    const task = await submit(world, { device: owner.id });
    await world.clock.advance(100);
    const thief = await world.joined();
    const [assignment] = owner.assignments;
    if (!assignment) throw new Error('nothing was assigned');
    await world.clock.until(thief.deliver(goodOutcome(thief.identity, assignment)));
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'running' });
    await world.clock.until(owner.deliver(goodOutcome(owner.identity, assignment)));
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a full disk', () => {
  it('keeps a result waiting with its device until there is room: nothing is lost, nothing is acknowledged', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const answers: unknown[] = [];
    device.work = async (assignment) => {
      world.disk.failure = new ShoalError('io.disk-full', 'full');
      const outcome = goodOutcome(device.identity, assignment);
      await device.deliver(outcome).catch((error) => answers.push(error));
      world.disk.failure = undefined;
      await device.deliver(outcome);
      return undefined;
    };
    const ended = await world.ended((await submit(world)).id);
    expect(answers).toMatchObject([{ code: 'io.disk-full' }]);
    expect(ended).toMatchObject({ state: 'succeeded', attempts: [{ state: 'succeeded' }] });
  });

  it('holds up an expiry, which is made up for', async () => {
    const world = await aWorld();
    const task = await submit(world, { deadlineMs: 2_000 });
    world.disk.failure = new ShoalError('io.disk-full', 'full');
    await world.clock.advance(5_000);
    expect(await world.coordinator.tasks.get(task.id)).toMatchObject({ state: 'queued' });
    world.disk.failure = undefined;
    expect(await world.ended(task.id)).toMatchObject({ state: 'expired' });
  });

  it('holds up the end of a task that has had all its tries, and gives it no other', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = ({ taskId, attemptId }) => {
      world.disk.failure = new ShoalError('io.disk-full', 'full');
      return { taskId, attemptId, errorCode: 'engine.failed', errorMessage: 'a bad day' };
    };
    const task = await submit(world, { maxAttempts: 1, deadlineMs: 60_000 });
    await world.clock.advance(10_000);
    world.disk.failure = undefined;
    const ended = await world.ended(task.id);
    expect(device.assignments).toHaveLength(1);
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'engine.failed', attempts: [{ state: 'failed' }] });
  });
});

describe('a task whose model is in the memory of a slow device only', () => {
  it('goes there while the quicker one is told, once, to load the model for the next', async () => {
    const world = await aWorld();
    const profile = { model: 'tiny-detector', sha256: aModelSha256 };
    const slow = await world.joined({ profiles: [aProfile({ ...profile, p50Ms: 60, p95Ms: 60, loadMs: 0 })] });
    const quick = await world.joined({ profiles: [aProfile({ ...profile, p50Ms: 5, p95Ms: 5, loadMs: 20_000 })] });
    const input = await world.blob('a picture');
    for (let i = 0; i < 3; i++) {
      const task = await submit(world, { pipeline: 'detect', model: 'tiny-detector', variant: 'int8', input });
      expect((await world.ended(task.id)).attempts[0]).toMatchObject({ device: slow.id });
    }
    expect(quick.hints).toEqual([{ model: 'tiny-detector', variant: 'int8' }]);
    expect(slow.hints).toEqual([]);
    quick.telemetry({ telemetry: { loadedModels: ['tiny-detector/int8'] } });
    await world.clock.advance(100);
    const next = await submit(world, { pipeline: 'detect', model: 'tiny-detector', variant: 'int8', input });
    expect((await world.ended(next.id)).attempts[0]).toMatchObject({ device: quick.id });
  });
});

describe('the link of a device', () => {
  /** Each way takes 20 ms, and each 100 bytes 1 ms more. */
  const route = (_from: string, _to: string, sizeBytes: number) => [20 + sizeBytes / 100];

  it('is measured by the offers that go over it: work is then expected to take the way there', async () => {
    const world = await aWorld({ hub: { route } });
    const device = await world.joined();
    const link = () => world.coordinator.devices.get(device.id).link;
    expect(link()).toEqual({ up: ['memory'] });
    await world.ended((await submit(world)).id);
    const { rttMs = 0 } = link();
    // Envelopes of some hundred bytes.
    expect(rttMs).toBeGreaterThan(40);
    expect(rttMs).toBeLessThan(60);
    expect(link().bytesPerMs).toBeUndefined();
    const input = await world.blob('x'.repeat(50_000));
    await world.ended((await submit(world, { pipeline: 'detect', model: 'tiny-detector', input })).id);
    expect(link().rttMs).toBe(rttMs);
    expect(link().bytesPerMs).toBeCloseTo(100, -1);
    const next = await world.ended((await submit(world, { pipeline: 'detect', model: 'tiny-detector', input })).id);
    expect(next.attempts[0]?.placement.chosen.transferMs).toBeCloseTo(500 + rttMs / 2, -1);
  });
});

describe('a task whose model a task before it loads', () => {
  it('is not expected to load it again, until that has failed', async () => {
    const world = await aWorld();
    const profiles = [aProfile({ model: 'tiny-detector', sha256: aModelSha256, loadMs: 20_000 })];
    const device = await world.joined({ profiles, capability: aCapability({ taskSlots: 1 }) });
    device.work = silence;
    const input = await world.blob('a picture');
    const detect = { pipeline: 'detect', model: 'tiny-detector', variant: 'int8', input, maxAttempts: 1 } as const;
    const loads = async () => {
      const { id } = await submit(world, detect);
      await world.clock.advance(10);
      const { attempts } = await world.coordinator.tasks.get(id);
      return { id, attempt: attempts[0]?.id ?? '', loadMs: attempts[0]?.placement.chosen.loadMs };
    };
    const [first, second] = [await loads(), await loads()];
    expect([first.loadMs, second.loadMs]).toEqual([20_000, 0]);
    for (const { id, attempt } of [first, second])
      await world.clock.until(
        device.deliver({ taskId: id, attemptId: attempt, errorCode: 'engine.failed', errorMessage: 'did not load' }),
      );
    expect((await loads()).loadMs).toBe(20_000);
  });
});
