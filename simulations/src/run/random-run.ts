import { sha256Hex } from '@shoal/protocol';
import { Dice, World, type WorldParts } from '../world/index.ts';
import { always } from './always.ts';
import { atTheEnd } from './at-the-end.ts';
import { mend } from './faults.ts';
import { agentLimits, coordinatorLimits, faultyNetwork, machines } from './fleet.ts';
import type { Invariant } from './invariant.ts';
import { Life } from './life.ts';
import { drawOperation, operationNamed } from './operations.ts';
import type { Script, Step } from './script.ts';

export interface RunReport {
  readonly seed: number;
  /** What was done, to do it again. */
  readonly script: Script;
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

/** In one life of so many everything is sealed. */
const sealedOneIn = 8;
const mostSteps = 150;
/** Longest pause between two steps, ms. */
const longestPauseMs = 400;
/** Longest time between two looks at what must always be true, ms. */
const mostBetweenLooksMs = 400;
/** Now and then nothing happens for long enough that the silent are given up, ms. */
const longSilenceMs = 12_000;
/** Virtual time after the last fault within which everything must have ended, ms. */
const convergenceMs = 300_000;
/** And that is waited for in any case, ms: devices come back, and a camera whose only device said no asks it again after 30 s. */
const calmMs = 45_000;

/**
 * One random life of a small fleet: work comes in while processes crash, disks fill, clocks jump, the network loses, doubles and reorders frames,
 * devices are cut off and somebody meddles with the wire. What must always be true is checked all along; then the faults stop, and what must be
 * true in the end is checked too (DESIGN section 8).
 */
export function randomRun(seed: number, parts: WorldParts = {}): Promise<RunReport> {
  return liveOut(seed, parts, async (life) => {
    let atMs = Math.ceil(life.nowMs);
    await passUntil(life, atMs);
    for (let number = 0; number < mostSteps && life.broken.length === 0; number++) {
      const dice = Dice.of(seed, `step ${number}`);
      await happen(life, atMs, dice);
      atMs = Math.ceil(life.nowMs + (dice.chance(0.01) ? longSilenceMs : dice.next() * longestPauseMs));
      await passUntil(life, atMs);
    }
  });
}

/** The life that a script tells, once more. An operation that cannot happen in it, because others were left out, does not. */
export function replay(script: Script, parts: WorldParts = {}): Promise<RunReport> {
  return liveOut(script.seed, parts, async (life) => {
    for (const step of script.steps) {
      await passUntil(life, step.atMs);
      if (life.broken.length > 0) return;
      await take(life, step);
    }
    await passUntil(life, script.endMs);
  });
}

async function liveOut(seed: number, parts: WorldParts, story: (life: Life) => Promise<void>): Promise<RunReport> {
  const world = await World.create({
    seed,
    machines,
    network: faultyNetwork,
    coordinator: coordinatorLimits,
    agent: agentLimits,
    parts: { seals: seed % sealedOneIn === 0, ...parts },
  });
  const life = new Life(world);
  try {
    await labelYard(life);
    await story(life);
    if (life.broken.length === 0) await converge(life);
  } catch (error) {
    life.broken.push(`the world ended: ${error instanceof Error ? error.stack : error}`);
  }
  const report: RunReport = {
    seed,
    script: { seed, steps: life.steps, endMs: life.untilMs },
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

/** Draws what happens next until it can happen. */
async function happen(life: Life, atMs: number, dice: Dice): Promise<void> {
  while (!(await take(life, { atMs, operation: drawOperation(dice).name, seed: dice.seed() })));
}

/** Whether it happened. */
async function take(life: Life, step: Step): Promise<boolean> {
  const operation = operationNamed(step.operation);
  life.steps.push(step);
  if (!(await operation.run(life, new Dice(step.seed)))) {
    life.steps.pop();
    return false;
  }
  life.world.note(`operation: ${operation.name}`);
  if (operation.kind === 'fault') life.faults += 1;
  return true;
}

/** Lets time go by, and looks all the while. */
async function passUntil(life: Life, untilMs: number): Promise<void> {
  life.untilMs = untilMs;
  while (life.nowMs < untilMs && life.broken.length === 0) {
    await life.world.clock.advance(Math.min(mostBetweenLooksMs, untilMs - life.nowMs));
    await check(life, always);
  }
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
