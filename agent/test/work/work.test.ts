import { Body, decodeResult, Envelope, ShoalError, utf8, verifyAttestation } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet, aNoop, aTask, never } from '../support/a-fleet.ts';

type Fleet = Awaited<ReturnType<typeof aFleet>>;

const outcomeOf = ({ coordinator }: Fleet, attemptId: string) =>
  coordinator.outcomes.find((outcome) => outcome.attemptId === attemptId);

const ended = async (fleet: Fleet, attemptId: string) => {
  await fleet.clock.until(fleet.coordinator.until(() => outcomeOf(fleet, attemptId) !== undefined));
  const outcome = outcomeOf(fleet, attemptId);
  if (!outcome) throw new Error('no outcome');
  return outcome;
};

describe('a task', () => {
  it('is taken, run, and its result signed for the exact input, model and bytes', async () => {
    const fleet = await aFleet();
    const { assignment, input, attemptId } = aTask({ parametersJson: '{"minScore":0,"note":"mine"}' });
    const admission = await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    expect(admission).toMatchObject({ attemptId, accepted: true, reason: '' });
    const { result, attestation, timings, errorCode } = await ended(fleet, attemptId);
    expect(errorCode).toBe('');
    const analysis = decodeResult(result);
    expect(analysis).toMatchObject({ kind: 'detections', pipeline: 'detect', picture: { width: 8, height: 8 } });
    const { subject, predicate } = verifyAttestation(attestation, result, fleet.identity);
    expect(subject[0].digest.sha256).toBe(Buffer.from(assignment.inputDigest ?? []).toString('hex'));
    expect(predicate).toMatchObject({
      device: fleet.agent.id,
      pipeline: 'detect',
      parameters: { minScore: 0, note: 'mine' },
      model: { name: 'tiny', version: '1.0.0', variant: 'int8', sha256: 'ab'.repeat(32) },
      work: { task: assignment.taskId, attempt: attemptId },
    });
    expect(predicate.finishedAtMs).toBeGreaterThanOrEqual(predicate.startedAtMs);
    expect(timings?.inferenceMs).toBe(20);
    expect(timings?.totalMs).toBeGreaterThanOrEqual(20);
  });

  it('without a model is answered in the turn of its assignment: admission and outcome under one signature', async () => {
    const fleet = await aFleet({ hub: { route: () => [0] } });
    await fleet.clock.advance(1000);
    const said: string[][] = [];
    fleet.coordinator.link.subscribe({
      onFrame: (frame) =>
        said.push(Body.decode(Envelope.decode(frame).body).messages.map(({ payload }) => payload ?? '')),
    });
    const { assignment, attemptId } = aNoop();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment));
    expect(said.map((messages) => messages.toSorted())).toEqual([['taskAdmission', 'taskOutcome']]);
    const { result, attestation } = await ended(fleet, attemptId);
    expect(decodeResult(result)).toEqual({ schema: 1, pipeline: 'noop', kind: 'empty' });
    expect(verifyAttestation(attestation, result, fleet.identity).predicate.model).toBeNull();
    expect(fleet.store.outbox.lastId()).toBe(0);
  });

  it('that is offered twice runs once', async () => {
    const fleet = await aFleet();
    const { assignment, input, attemptId } = aTask();
    const offers = [1, 2].map(() => fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    const admissions = await fleet.clock.until(Promise.all(offers));
    expect(admissions.map(({ accepted }) => accepted)).toEqual([true, true]);
    await ended(fleet, attemptId);
    await fleet.clock.advance(10_000);
    expect(fleet.coordinator.outcomes).toHaveLength(1);
  });

  it('pulls a large input piece by piece and checks it', async () => {
    const fleet = await aFleet();
    const input = Uint8Array.from({ length: 1_300_000 }, (_, i) => i & 255);
    const { assignment, attemptId } = aTask({}, input);
    fleet.coordinator.blobs.set(Buffer.from(assignment.inputDigest ?? []).toString('hex'), input);
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment));
    expect((await ended(fleet, attemptId)).errorCode).toBe('');
    expect(fleet.coordinator.blobRequests).toBe(3);
  });

  it('asks again for a piece of its input that cannot be had just now', async () => {
    const fleet = await aFleet();
    const { assignment, input, attemptId } = aTask();
    fleet.coordinator.blobs.set(Buffer.from(assignment.inputDigest ?? []).toString('hex'), input);
    fleet.coordinator.blobRefusals = 3;
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment));
    expect((await ended(fleet, attemptId)).errorCode).toBe('');
    expect(fleet.coordinator.blobRequests).toBe(4);
  });
});

describe('a refusal', () => {
  const cases: [string, (fleet: Fleet) => void, Parameters<typeof aTask>[0]][] = [
    ['no-pipeline', () => {}, { pipeline: 'divination' }],
    ['no-model', () => {}, { model: 'unheard-of' }],
    [
      'battery',
      ({ machine }) => {
        machine.condition_ = { ...machine.condition_, batteryPct: 12, charging: false };
      },
      {},
    ],
    [
      'hot',
      ({ machine }) => {
        machine.condition_ = { ...machine.condition_, temperatureC: 95 };
      },
      {},
    ],
  ];

  it.each(cases)('says %s', async (reason, prepare, task) => {
    const fleet = await aFleet();
    prepare(fleet);
    // The next telemetry looks at the machine.
    await fleet.clock.advance(6_000);
    const { assignment, input } = aTask(task);
    const admission = await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    expect(admission).toMatchObject({ accepted: false, reason });
    expect(fleet.agent.status().running).toBe(0);
  });

  it('is not given for a low battery that charges', async () => {
    const fleet = await aFleet();
    fleet.machine.condition_ = { ...fleet.machine.condition_, batteryPct: 12, charging: true };
    await fleet.clock.advance(6_000);
    const { assignment, input } = aTask();
    const admission = await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    expect(admission.accepted).toBe(true);
  });

  it('says busy when the queue is full, and what was taken is still done', async () => {
    const limits = { batteryFloorPct: 20, hotC: 90, queueLimit: 3, inputBytesLimit: 1 << 20 };
    const fleet = await aFleet({ config: { work: { limits } }, inferenceMs: 1000 });
    const tasks = Array.from({ length: 8 }, () => aTask());
    const admissions = await fleet.clock.until(
      Promise.all(tasks.map(({ assignment, input }) => fleet.coordinator.offer(fleet.agent.id, assignment, [input]))),
    );
    // Two are worked on (one is decoded while the other is inferred), three wait.
    expect(admissions.map(({ accepted, reason }) => (accepted ? 'yes' : reason))).toEqual([
      ...Array(5).fill('yes'),
      ...Array(3).fill('busy'),
    ]);
    await fleet.clock.advance(20_000);
    expect(fleet.coordinator.outcomes.map(({ errorCode }) => errorCode)).toEqual(Array(5).fill(''));
  });

  it('says busy when the work before it would make it late', async () => {
    const fleet = await aFleet({ inferenceMs: 1000 });
    await fleet.clock.until(fleet.coordinator.until(() => fleet.coordinator.profiles.length > 0));
    const offer = (timeLeftMs: number) => {
      const { assignment, input } = aTask({ timeLeftMs });
      return fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    };
    for (let i = 0; i < 4; i++) expect((await offer(60_000)).accepted).toBe(true);
    expect(await offer(2_000)).toMatchObject({ accepted: false, reason: 'busy' });
    expect((await offer(60_000)).accepted).toBe(true);
  });
});

describe('a failure', () => {
  it.each([
    ['input.invalid', { parametersJson: 'no json' }, undefined],
    ['input.invalid', { parametersJson: '{"minScore":7}' }, undefined],
    ['input.invalid', { pipeline: 'classify' }, undefined],
    ['input.too-large', { inputSizeBytes: 1e12 }, undefined],
    ['input.corrupt', {}, utf8('other bytes than the digest names')],
  ] as const)('says %s and what is wrong, and the device goes on', async (code, task, sent) => {
    const fleet = await aFleet();
    const { assignment, input, attemptId } = aTask(task);
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [sent ?? input]));
    const outcome = await ended(fleet, attemptId);
    expect(outcome.errorCode).toBe(code);
    expect(outcome.result).toHaveLength(0);
    expect(outcome.errorMessage).not.toBe('');
    const next = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, next.assignment, [next.input]));
    expect((await ended(fleet, next.attemptId)).errorCode).toBe('');
  });

  it('of a model that cannot be had is told, and the next task tries again', async () => {
    const fleet = await aFleet();
    fleet.models.holds = false;
    const resolve = fleet.models.resolve.bind(fleet.models);
    fleet.models.resolve = async () => {
      throw new ShoalError('model.digest', 'the file is not the one it must be');
    };
    const first = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, first.assignment, [first.input]));
    expect((await ended(fleet, first.attemptId)).errorCode).toBe('model.digest');
    fleet.models.resolve = resolve;
    const second = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, second.assignment, [second.input]));
    expect((await ended(fleet, second.attemptId)).errorCode).toBe('');
  });

  it('is work.expired at the deadline, wherever the task stands', async () => {
    const fleet = await aFleet({ inferenceMs: 60_000 });
    const { assignment, input, attemptId } = aTask({ timeLeftMs: 500 });
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    expect((await ended(fleet, attemptId)).errorCode).toBe('work.expired');
    expect(fleet.agent.status()).toMatchObject({ running: 0, queued: 0 });
  });
});

describe('a cancellation', () => {
  const cancelled = async (fleet: Fleet, attemptId: string) => {
    await fleet.clock.until(fleet.coordinator.cancel(fleet.agent.id, attemptId));
    expect((await ended(fleet, attemptId)).errorCode).toBe('work.cancelled');
    expect(fleet.agent.status()).toMatchObject({ running: 0, queued: 0 });
    await fleet.clock.advance(120_000);
    expect(fleet.coordinator.outcomes.filter((outcome) => outcome.attemptId === attemptId)).toHaveLength(1);
  };

  it('ends a task that waits', async () => {
    const fleet = await aFleet({ inferenceMs: 5_000 });
    const tasks = [aTask(), aTask(), aTask()];
    for (const { assignment, input } of tasks) {
      await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    }
    const last = tasks[2]?.attemptId ?? '';
    expect(fleet.agent.status().queued).toBe(1);
    await fleet.clock.until(fleet.coordinator.cancel(fleet.agent.id, last));
    expect((await ended(fleet, last)).errorCode).toBe('work.cancelled');
    await fleet.clock.advance(60_000);
    expect(fleet.coordinator.outcomes.map(({ errorCode }) => errorCode).sort()).toEqual(['', '', 'work.cancelled']);
  });

  it('ends a task whose input is on its way', async () => {
    const fleet = await aFleet();
    fleet.coordinator.servesBlobs = false;
    const { assignment, attemptId } = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment));
    await fleet.clock.until(fleet.coordinator.until(() => fleet.coordinator.blobRequests > 0));
    await cancelled(fleet, attemptId);
  });

  it('ends a task whose model is loaded', async () => {
    const fleet = await aFleet({ loadMs: 60_000, config: { profiler: { settleMs: 1e9 } } });
    const { assignment, input, attemptId } = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    await fleet.clock.advance(100);
    await cancelled(fleet, attemptId);
  });

  it('ends a task that is inferred', async () => {
    const fleet = await aFleet({ inferenceMs: 60_000, loadMs: 0, config: { profiler: { settleMs: 1e9 } } });
    const { assignment, input, attemptId } = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    await fleet.clock.advance(1_000);
    await cancelled(fleet, attemptId);
  });

  it('of a task that is not here is taken in silence', async () => {
    const fleet = await aFleet();
    await fleet.clock.until(fleet.coordinator.cancel(fleet.agent.id, 'att_nobody'));
    expect(fleet.coordinator.outcomes).toEqual([]);
  });
});

describe('draining', () => {
  it('finishes what runs, hands back what waits, and refuses what comes', async () => {
    const fleet = await aFleet({ inferenceMs: 2_000, config: { profiler: { settleMs: 1e9 } } });
    const tasks = [aTask(), aTask(), aTask(), aTask()];
    for (const { assignment, input } of tasks) {
      await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    }
    const drained = fleet.agent.drain(never);
    await fleet.clock.advance(1_000);
    const late = aTask();
    const admission = await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, late.assignment, [late.input]));
    expect(admission).toMatchObject({ accepted: false, reason: 'draining' });
    await fleet.clock.until(drained);
    await fleet.agent.stop();
    expect(fleet.coordinator.outcomes.map(({ errorCode }) => errorCode).sort()).toEqual([
      '',
      '',
      'work.refused',
      'work.refused',
    ]);
    expect(fleet.coordinator.heard.at(-1)).toBe('goodbye');
  });

  it('does not wait for ever for a task that does not end, and says what became of it', async () => {
    const fleet = await aFleet({ inferenceMs: 1e7, config: { profiler: { settleMs: 1e9 } } });
    const { assignment, input, attemptId } = aTask();
    await fleet.clock.until(fleet.coordinator.offer(fleet.agent.id, assignment, [input]));
    await fleet.clock.until(fleet.agent.drain(never), 30_000);
    expect(outcomeOf(fleet, attemptId)?.errorCode).toBe('aborted');
  });
});

describe('results of tasks while the coordinator is away', () => {
  it('wait, survive a crash, and come in order', async () => {
    const fleet = await aFleet();
    await fleet.clock.advance(5_000);
    const tasks = Array.from({ length: 5 }, () => aTask());
    await fleet.clock.until(
      Promise.all(tasks.map(({ assignment, input }) => fleet.coordinator.offer(fleet.agent.id, assignment, [input]))),
    );
    await fleet.coordinator.link.stop();
    await fleet.clock.advance(10_000);
    expect(fleet.store.outbox.totals().count).toBeGreaterThanOrEqual(4);
    const before = fleet.coordinator.outcomes.length;
    await fleet.agent.stop();
    const again = fleet.make();
    await again.start(never);
    await fleet.coordinator.link.start(never);
    await fleet.clock.until(fleet.coordinator.until(() => fleet.coordinator.outcomes.length === 5));
    expect(before).toBeLessThan(5);
    expect(fleet.coordinator.outcomes.map(({ attemptId }) => attemptId)).toEqual(
      tasks.map(({ attemptId }) => attemptId),
    );
  });
});
