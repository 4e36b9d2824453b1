import { ShoalError, seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finalTaskStates, type Task } from '../../src/domain/index.ts';
import { aSpec } from '../support/builders.ts';
import { goodOutcome, type ScriptedDevice } from '../support/scripted-device.ts';
import { World } from '../support/world.ts';

/** What may happen to a fleet, each in a moment of its own. */
const anyFault = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      deadlineS: fc.integer({ min: 1, max: 120 }),
      maxAttempts: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 15_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('device-dies' as const), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('device-comes' as const), which: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mood' as const),
      which: fc.nat(2),
      mood: fc.constantFrom('good', 'slow', 'silent', 'failing', 'busy', 'lying'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('coordinator-dies' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('network' as const), loss: fc.constantFrom(0, 0.3, 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk' as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }) },
);
type Fault = typeof anyFault extends fc.Arbitrary<infer Value> ? Value : never;

/** A fleet of three on which faults happen, and what was promised about its tasks. */
class Ordeal {
  readonly world: World;
  readonly devices: (ScriptedDevice | undefined)[] = [undefined, undefined, undefined];
  /** The first life of each device: its key and its sequences stay. */
  readonly first: (ScriptedDevice | undefined)[] = [undefined, undefined, undefined];
  readonly moods: string[] = ['good', 'good', 'good'];
  readonly acknowledged: string[] = [];
  /** Tasks that were seen to have ended, as they were seen. */
  readonly ended = new Map<string, Task>();
  #word = '';
  loss = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const route = () => {
      if (random.next() < this.loss) return [];
      const delayMs = random.next() * 20;
      return random.next() < 0.05 ? [delayMs, delayMs * 2] : [delayMs];
    };
    this.world = new World({
      seed,
      storeWriteMs: 2,
      hub: { route },
      config: { retention: generous, strategy: seed % 2 === 0 ? 'cost' : 'min-cost-flow' },
    });
  }

  async start(): Promise<void> {
    await this.world.start();
    this.#word = await this.world.token(100);
    for (const which of [0, 1]) await this.come(which);
  }

  async meet(fault: Fault): Promise<void> {
    const { world } = this;
    switch (fault.kind) {
      case 'submit': {
        const spec = aSpec({ deadlineMs: fault.deadlineS * 1_000, maxAttempts: fault.maxAttempts });
        // A submission that the coordinator died with was never acknowledged.
        world.coordinator.tasks.submit(spec).then(
          (task) => this.acknowledged.push(task.id),
          () => {},
        );
        return;
      }
      case 'pass':
        await world.clock.advance(fault.ms);
        return this.look();
      case 'device-dies':
        await this.devices[fault.which]?.die();
        this.devices[fault.which] = undefined;
        return;
      case 'device-comes':
        return this.come(fault.which);
      case 'mood':
        this.moods[fault.which] = fault.mood;
        return;
      case 'coordinator-dies':
        world.disk.failure = undefined;
        return world.restartAfterCrash();
      case 'network':
        this.loss = fault.loss;
        return;
      case 'disk':
        world.disk.failure = fault.full ? new ShoalError('io.disk-full', 'full') : undefined;
        return;
      case 'cancel': {
        const id = this.acknowledged[fault.which];
        if (id !== undefined) world.coordinator.tasks.cancel(id).catch(() => {});
        return;
      }
    }
  }

  async come(which: number): Promise<void> {
    if (this.devices[which]) return;
    const device = this.first[which]?.again() ?? this.world.aDevice();
    this.first[which] ??= device;
    this.devices[which] = device;
    device.admit = () => (this.moods[which] === 'busy' ? 'busy' : undefined);
    device.work = async (assignment) => {
      const { taskId, attemptId } = assignment;
      const mood = this.moods[which];
      if (mood === 'silent') return undefined;
      if (mood === 'slow') await new Promise<void>((resolve) => this.world.clock.after('slow work', 8_000, resolve));
      if (mood === 'failing') return { taskId, attemptId, errorCode: 'engine.failed', errorMessage: 'a bad day' };
      return goodOutcome(device.identity, assignment, mood === 'lying' ? { digest: '0'.repeat(64) } : {});
    };
    await device.connect();
    // It goes on trying, as an agent does, and not faster: a full disk refuses at once.
    const joining = () => {
      if (this.devices[which] !== device) return;
      device.join(this.#word).catch(() => this.world.clock.after('join again', 500, joining));
    };
    joining();
  }

  /** What has ended has ended for good. */
  async look(): Promise<void> {
    for (const id of this.acknowledged) {
      const task = await this.world.coordinator.tasks.get(id);
      const before = this.ended.get(id);
      if (before) expect(task).toEqual(before);
      else if (finalTaskStates.has(task.state)) this.ended.set(id, task);
    }
  }

  async heal(): Promise<void> {
    this.loss = 0;
    this.world.disk.failure = undefined;
    this.moods.fill('good');
    await this.world.clock.advance(200_000);
    await this.look();
  }
}

const generous = {
  endedTasks: 10_000,
  endedTaskAgeMs: 1e12,
  cameraResults: 10,
  cameraResultAgeMs: 1e12,
  events: 1_000,
  eventAgeMs: 1e12,
};

describe('whatever goes wrong', () => {
  it('no acknowledged task is lost, each ends once and for good, and exactly the succeeded ones have one result (60 lives, others each time)', async () => {
    let tasks = 0;
    let succeeded = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(anyFault, { minLength: 10, maxLength: 60 }), async (seed, faults) => {
        const ordeal = new Ordeal(seed);
        await ordeal.start();
        for (const fault of faults) await ordeal.meet(fault);
        await ordeal.heal();
        const { disk, coordinator } = ordeal.world;
        expect(coordinator.health().tasks).toEqual({ queued: 0, running: 0 });
        for (const id of ordeal.acknowledged) expect(ordeal.ended.has(id)).toBe(true);
        // Also what was durable and never acknowledged has ended.
        for (const task of disk.tasks.values()) {
          expect(finalTaskStates.has(task.state)).toBe(true);
          for (const { state } of task.attempts) expect(['offered', 'accepted']).not.toContain(state);
          const results = [...disk.results.values()].filter(({ work }) => 'task' in work && work.task === task.id);
          expect(results).toHaveLength(task.state === 'succeeded' ? 1 : 0);
          tasks += 1;
          if (task.state === 'succeeded') succeeded += 1;
        }
        for (const { running } of coordinator.devices.list()) expect(running).toBe(0);
        await ordeal.world.clock.until(coordinator.stop());
      }),
      { numRuns: 60 },
    );
    // The faults leave enough through that success was put to the test too.
    expect(succeeded).toBeGreaterThan(tasks / 20);
  }, 120_000);
});
