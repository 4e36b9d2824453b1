import { sha256Hex } from '@shoal/protocol';
import { World, type WorldParts } from '../world/index.ts';
import { agentLimits, coordinatorLimits, machines } from './fleet.ts';
import { always, atTheEnd, type Invariant } from './invariants.ts';
import { Life } from './life.ts';
import { mend, type Operation, operations } from './operations.ts';

export interface RunReport {
  readonly seed: number;
  readonly tasks: number;
  readonly succeeded: number;
  readonly reports: number;
  readonly faults: number;
  readonly virtualMs: number;
  /** What was promised and not kept; empty when all is well. */
  readonly broken: readonly string[];
  /** SHA-256 of everything that happened: the same for the same seed. */
  readonly traceDigest: string;
  readonly trace: readonly string[];
}

const steps = 150;
/** Longest pause between two steps, ms. */
const longestPauseMs = 400;
/** Now and then nothing happens for long enough that the silent are given up, ms. */
const longSilenceMs = 12_000;
/** Virtual time after the last fault within which everything must have ended, ms. */
const convergenceMs = 300_000;
/** And that is waited for in any case: devices come back, cameras settle, ms. */
const calmMs = 30_000;
const faultyNetwork = { latencyMs: 5, jitterMs: 30, loss: 0.05, duplication: 0.05 };

/**
 * One random life of a small fleet: work comes in while processes crash, disks fill, clocks jump, the network loses, doubles and reorders frames,
 * devices are cut off and somebody meddles with the wire. What must always be true is checked all along; then the faults stop, and what must be
 * true in the end is checked too (DESIGN section 8).
 */
export async function randomRun(seed: number, parts: WorldParts = {}): Promise<RunReport> {
  const world = await World.create({
    seed,
    machines,
    network: faultyNetwork,
    coordinator: coordinatorLimits,
    agent: agentLimits,
    parts,
  });
  const life = new Life(world);
  try {
    await labelYard(life);
    for (let step = 0; step < steps && life.broken.length === 0; step++) await oneStep(life);
    if (life.broken.length === 0) await converge(life);
  } catch (error) {
    life.broken.push(`the world ended: ${error instanceof Error ? error.stack : error}`);
  }
  const report: RunReport = {
    seed,
    tasks: life.tasks.size,
    succeeded: life.seen.filter(({ state }) => state === 'succeeded').length,
    reports: world.disk.results.size,
    faults: life.faults,
    virtualMs: life.nowMs,
    broken: life.broken,
    traceDigest: sha256Hex(world.trace.join('\n')),
    trace: world.trace,
  };
  await world.end();
  return report;
}

async function labelYard({ world }: Life): Promise<void> {
  const [first, second] = world.agents;
  for (const agent of [first, second])
    if (agent) await world.settle(world.coordinator.devices.update(agent.id, { labels: { site: 'yard' } }));
}

async function oneStep(life: Life): Promise<void> {
  const { world } = life;
  let operation = drawn(life);
  while ((await operation.run(life)) === false) operation = drawn(life);
  if (operation.kind === 'fault') life.faults += 1;
  await world.clock.advance(life.chance(0.01) ? longSilenceMs : world.random.next() * longestPauseMs);
  await check(life, always);
}

function drawn({ world }: Life): Operation {
  let rest = world.random.next() * operations.reduce((sum, { weight }) => sum + weight, 0);
  for (const operation of operations) {
    rest -= operation.weight;
    if (rest < 0) return operation;
  }
  throw new Error('no operation has a weight');
}

/** The faults stop; everything that was begun must end. */
async function converge(life: Life): Promise<void> {
  const { world } = life;
  world.note('the faults stop');
  await mend(life);
  const startedMs = life.nowMs;
  do {
    await world.clock.advance(1_000);
    await check(life, always);
    if (life.nowMs - startedMs >= calmMs && life.allEnded) break;
  } while (life.nowMs - startedMs < convergenceMs && life.broken.length === 0);
  if (life.broken.length === 0) await check(life, atTheEnd);
}

async function check(life: Life, invariants: readonly Invariant[]): Promise<void> {
  await life.look();
  for (const invariant of invariants) life.broken.push(...invariant(life));
}
