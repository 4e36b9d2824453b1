import type { BlobRef, Task, TaskSpec } from '@shoal/coordinator';
import { type PeerId, ShoalError, seededRandom } from '@shoal/protocol';
import { type Arrival, startArrivals, Tally } from '../coarse/index.ts';
import { type DeviceClass, deviceClasses, type Fleet } from '../fleet/index.ts';
import { type SignatureKind, upload, World } from '../world/index.ts';
import { wholeMachine } from './whole-machine.ts';

export interface WholeScenario {
  /** On the mains, all of it. */
  readonly fleet: Fleet;
  readonly strategy: string;
  readonly seed: number;
  /** For how long work comes in, virtual seconds. */
  readonly seconds: number;
  readonly signatures?: SignatureKind;
}

/** Within it devices measure their models, before work comes in, ms. */
const measuringMs = 90_000;
/** And after the last piece of work has come in, what is under way ends, ms. */
const endingMs = 10_000;
/** Of work without a deadline, ms. */
const noDeadlineMs = 3_600_000;
/** The way of every frame, however long it is: fleets that are compared have quick links, ms. */
const latencyMs = 1;

/** Runs a fleet with whole agents: the same fleets as {@link simulate}, as long as all devices are on the mains, for minutes instead of days. */
export async function simulateWhole(scenario: WholeScenario): Promise<Tally> {
  const { fleet, strategy, seed, seconds, signatures = 'ed25519' } = scenario;
  if (fleet.devices.some(({ battery }) => battery))
    throw new ShoalError('input.invalid', `${fleet.name} has devices on batteries: only coarse devices have those`);
  if (fleet.cameras.length > 0 || fleet.devices.some(({ fails }) => fails))
    throw new ShoalError(
      'input.invalid',
      `${fleet.name} has cameras, or devices that fail: of a fleet file only coarse ones do`,
    );
  const random = seededRandom(seed);
  const groups = fleet.devices.flatMap((group) => Array.from({ length: group.count }, () => group));
  const world = await World.create({
    seed,
    machines: groups.map((group, number) => wholeMachine(group, number, random)),
    network: { latencyMs, jitterMs: 0, loss: 0, duplication: 0 },
    coordinator: { strategy },
    signatures,
  });
  await world.clock.advance(measuringMs);
  const inputs = await inputsOf(world, fleet);
  const tally = new Tally();
  const submitted: { readonly arrival: Arrival; readonly task: Promise<Task> }[] = [];
  const startedMs = world.clock.monotonicMs();
  const later = {
    get nowMs() {
      return world.clock.monotonicMs() - startedMs;
    },
    after: (delayMs: number, act: () => void) => void world.clock.after('work comes in', delayMs, act),
  };
  startArrivals(fleet.workloads, later, random, (arrival) => {
    if (later.nowMs > seconds * 1_000) return;
    tally.submitted += 1;
    submitted.push({ arrival, task: world.coordinator.tasks.submit(specOf(arrival, inputs)) });
  });
  await world.clock.advance(seconds * 1_000 + endingMs);
  const kinds = new Map(groups.map((group, place) => [world.agents[place]?.id, deviceClasses[group.class]]));
  for (const { arrival, task } of submitted) {
    const ended = await world.settle(task.then(({ id }) => world.coordinator.tasks.get(id)));
    count(ended, arrival, kinds, tally);
  }
  await world.end();
  return tally;
}

async function inputsOf(world: World, { workloads }: Fleet): Promise<ReadonlyMap<string, BlobRef>> {
  const inputs = new Map<string, BlobRef>();
  for (const { name, inputBytes } of workloads)
    inputs.set(name, await world.settle(upload(world.coordinator, new Uint8Array(inputBytes))));
  return inputs;
}

function specOf({ workload, objects }: Arrival, inputs: ReadonlyMap<string, BlobRef>): TaskSpec {
  const input = inputs.get(workload.name);
  return {
    pipeline: 'detect',
    // The most accurate one: what may be given up is given up against it.
    model: 'efficientdet-lite2',
    accuracyLoss: workload.accuracyLoss,
    objects,
    ...(input && { input }),
    parameters: {},
    deadlineMs: workload.deadlineMs ?? noDeadlineMs,
    labels: {},
    maxAttempts: 3,
  };
}

function count(
  { state, createdAtMs, endedAtMs = 0, attempts }: Task,
  { workload }: Arrival,
  kinds: ReadonlyMap<PeerId | undefined, DeviceClass>,
  tally: Tally,
): void {
  const last = attempts.at(-1);
  const kind = kinds.get(last?.device);
  if (state !== 'succeeded' || !last?.timings || !kind) {
    tally.expired += 1;
    return;
  }
  const { inferenceMs, loadMs } = last.timings;
  const latencyMs = endedAtMs - createdAtMs;
  tally.done({
    latencyMs,
    late: workload.deadlineMs !== undefined && latencyMs > workload.deadlineMs,
    accuracy: last.placement.chosen.accuracy ?? 0,
    energyJ: ((kind.busyWatts / kind.slots) * (inferenceMs + loadMs)) / 1_000,
  });
}
