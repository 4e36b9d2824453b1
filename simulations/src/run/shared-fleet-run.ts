import { finalTaskStates, type Task } from '@shoal/coordinator';
import { isShoalError, sha256Hex } from '@shoal/protocol';
import { type CoordinatorLife, Dice, upload, World, type WorldParts } from '../world/index.ts';
import { agentLimits, coordinatorLimits, faultyNetwork, machines } from './fleet.ts';

export interface SharedFleetReport {
  readonly seed: number;
  /** By coordinator. */
  readonly tasks: readonly number[];
  readonly succeeded: readonly number[];
  /** Attempts that a device would not take: what the coordinators did not know of each other. */
  readonly refused: number;
  readonly faults: number;
  /** From the last fault until every task of both had ended, virtual ms. */
  readonly convergedMs: number;
  readonly broken: readonly string[];
  readonly traceDigest: string;
  readonly trace: readonly string[];
}

const steps = 120;
const longestPauseMs = 300;
const convergenceMs = 300_000;
/** As many coordinators as place on the fleet at once. */
const coordinators = 2;
/** Tasks that may come at the same moment: more than the fleet has places for. */
const mostAtOnce = 8;

/**
 * A random life of a fleet on which two coordinators place at once, neither knowing of the other: devices have the last word (DESIGN section 7).
 * Checked all along: no device runs or holds more than it admits. In the end: every task of both has ended, and none was lost.
 */
export async function sharedFleetRun(seed: number, parts: WorldParts = {}): Promise<SharedFleetReport> {
  const world = await World.create({
    seed,
    coordinators,
    machines: machines.filter(({ battery }) => !battery),
    network: faultyNetwork,
    coordinator: coordinatorLimits,
    agent: agentLimits,
    parts,
  });
  const run = new SharedFleetRun(world, Dice.of(seed, 'shared fleet'));
  try {
    for (let step = 0; step < steps && run.broken.length === 0; step++) await run.step();
    if (run.broken.length === 0) await run.converge();
  } catch (error) {
    run.broken.push(`the world ended: ${error instanceof Error ? error.stack : error}`);
  }
  const { trace } = world;
  const report = { ...run.report(), seed, traceDigest: sha256Hex(trace.join('\n')), trace };
  await world.end();
  return report;
}

class SharedFleetRun {
  readonly broken: string[] = [];
  readonly #world: World;
  readonly #dice: Dice;
  /** Acknowledged, by coordinator. */
  readonly #tasks: readonly string[][];
  #seen: readonly (readonly Task[])[] = [];
  #faults = 0;
  #convergedMs = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#tasks = world.coordinatorLives.map(() => []);
  }

  report(): Omit<SharedFleetReport, 'seed' | 'traceDigest' | 'trace'> {
    const attempts = this.#seen.flat().flatMap((task) => task.attempts);
    return {
      tasks: this.#tasks.map((tasks) => tasks.length),
      succeeded: this.#seen.map((tasks) => tasks.filter(({ state }) => state === 'succeeded').length),
      refused: attempts.filter(({ state }) => state === 'refused').length,
      faults: this.#faults,
      convergedMs: this.#convergedMs,
      broken: this.broken,
    };
  }

  async step(): Promise<void> {
    if (this.#dice.chance(0.6)) await this.#submitSome();
    else {
      this.#faults += 1;
      await this.#dice.pick([() => this.#toggleMachine(), () => this.#toggleCut(), () => this.#toggleCoordinator()])();
    }
    await this.#world.clock.advance(this.#dice.next() * longestPauseMs);
    this.#check();
  }

  async converge(): Promise<void> {
    const { network, agents, coordinatorLives, clock } = this.#world;
    for (const life of coordinatorLives) if (!life.isUp) await this.#world.settle(life.start());
    for (const agent of agents) {
      network.heal(agent.id);
      if (!agent.isUp) await this.#world.settle(agent.start());
    }
    const sinceMs = clock.monotonicMs();
    do {
      await clock.advance(1_000);
      this.#check();
      await this.#look();
      this.#convergedMs = clock.monotonicMs() - sinceMs;
    } while (!this.#isCalm() && this.#convergedMs < convergenceMs && this.broken.length === 0);
    if (!this.#allEnded()) this.broken.push(`after ${this.#convergedMs} ms tasks are still under way`);
    for (const { id, status } of agents) {
      if (status?.membership !== 'joined') this.broken.push(`${id} is ${status?.membership}`);
      if (status && status.outbox.waiting > 0) this.broken.push(`${status.outbox.waiting} results wait on ${id}`);
    }
  }

  /** No device runs or holds more than it admits, whoever asked; nothing is a defect. */
  #check(): void {
    const { concurrency, limits } = agentLimits.work;
    for (const machine of this.#world.machines) {
      const [running, queued] = machine.agents.reduce(
        ([ran, waited], { status }) => [ran + (status?.running ?? 0), waited + (status?.queued ?? 0)],
        [0, 0],
      );
      if (running > concurrency) this.broken.push(`${running} tasks run on ${machine.name}`);
      if (queued > limits.queueLimit) this.broken.push(`${queued} tasks wait on ${machine.name}`);
    }
    this.broken.push(...this.#world.defects.splice(0), ...this.#world.wiretap.reused.splice(0));
  }

  async #look(): Promise<void> {
    const { coordinatorLives } = this.#world;
    const seen = coordinatorLives.map(({ coordinator }, which) =>
      Promise.all((this.#tasks[which] ?? []).map((id) => coordinator.tasks.get(id))),
    );
    this.#seen = await this.#world.settle(Promise.all(seen));
  }

  #allEnded(): boolean {
    return this.#seen.length > 0 && this.#seen.flat().every(({ state }) => finalTaskStates.has(state));
  }

  #isCalm(): boolean {
    const calm = this.#world.agents.every(
      ({ status }) => status?.membership === 'joined' && status.outbox.waiting === 0 && status.running === 0,
    );
    return calm && this.#allEnded();
  }

  /** To one of them, or to both at the very same moment. */
  async #submitSome(): Promise<void> {
    const lives = [...this.#world.coordinatorLives.entries()];
    const asked = this.#dice.chance(0.5) ? lives : [this.#dice.pick(lives)];
    const count = 1 + Math.floor(this.#dice.next() * mostAtOnce);
    await this.#world.settle(
      Promise.all(asked.map(([which, life]) => (life.isUp ? this.#submit(life, which, count) : undefined))),
    );
  }

  async #submit({ coordinator }: CoordinatorLife, which: number, count: number): Promise<void> {
    const input = await upload(coordinator, this.#dice.bytes(64));
    const spec = { pipeline: 'detect', input, parameters: {}, deadlineMs: 120_000, labels: {}, maxAttempts: 5 };
    for (let number = 0; number < count; number++) {
      try {
        this.#tasks[which]?.push((await coordinator.tasks.submit(spec)).id);
      } catch (error) {
        if (!isShoalError(error, 'queue.full')) throw error;
      }
    }
  }

  async #toggleMachine(): Promise<void> {
    const machine = this.#dice.pick(this.#world.machines);
    if (machine.agents.some(({ isUp }) => isUp)) machine.crash();
    else for (const agent of machine.agents) await this.#world.settle(agent.start());
  }

  /** One of the agents of a device is cut off, while the other goes on. */
  async #toggleCut(): Promise<void> {
    const { network, agents } = this.#world;
    const { id } = this.#dice.pick(agents);
    if (network.isCut(id)) network.heal(id);
    else network.cut(id);
  }

  async #toggleCoordinator(): Promise<void> {
    const life = this.#dice.pick(this.#world.coordinatorLives);
    if (life.isUp) life.crash();
    else await this.#world.settle(life.start());
  }
}
