import { finalTaskStates, type Task, type TaskSpec } from '@shoal/coordinator';
import { type ErrorCode, isShoalError, type PeerId } from '@shoal/protocol';
import type { AgentLife, Dice, World } from '../world/index.ts';
import { agentLimits, coordinatorLimits } from './fleet.ts';
import type { Step } from './script.ts';

/** A task that was acknowledged. */
export interface Acknowledged {
  readonly id: string;
  readonly spec: TaskSpec;
  /** When, virtual ms. */
  readonly atMs: number;
  /** As it was first seen to have ended. */
  ended?: Task;
}

/** When an attempt was first seen, and last seen open, in virtual ms. */
export interface Sighting {
  readonly firstMs: number;
  lastOpenMs: number;
}

/** What a caller is told when the coordinator cannot do a thing just now. That is no broken promise. */
const passing: readonly ErrorCode[] = ['queue.full', 'io.disk-full', 'io.failed', 'closed'];

/** What was done to a world and what was seen of it: all that its promises can be checked against. */
export class Life {
  readonly world: World;
  readonly tasks = new Map<string, Acknowledged>();
  readonly keys = new Map<string, { readonly spec: TaskSpec; task?: string }>();
  /** Cameras that were acknowledged, and whether their removal was. */
  readonly cameras = new Map<string, { removed: boolean }>();
  readonly attempts = new Map<string, Sighting>();
  /** Since when a device may get nothing, virtual ms. */
  readonly revokedAtMs = new Map<PeerId, number>();
  /** Since when a battery is below the floor of the fleet, and below that of its device, while it is not charged; virtual ms. */
  readonly belowFloorSinceMs = new Map<PeerId, number>();
  readonly belowOwnFloorSinceMs = new Map<PeerId, number>();
  /** Every task, as the coordinator tells it now; empty while it is down. */
  seen: readonly Task[] = [];
  readonly broken: string[] = [];
  /** What was done so far. */
  readonly steps: Step[] = [];
  /** Up to when it was to go on, virtual ms. */
  untilMs = 0;
  faults = 0;
  /** When the coordinator last started, virtual ms. */
  coordinatorSinceMs = 0;

  constructor(world: World) {
    this.world = world;
    world.wiretap.listens = true;
  }

  get nowMs(): number {
    return this.world.clock.monotonicMs();
  }

  /** A device that still belongs to the fleet, if the dice fall on one. */
  someMember(dice: Dice): AgentLife | undefined {
    const agent = dice.pick(this.world.agents);
    return this.revokedAtMs.has(agent.id) ? undefined : agent;
  }

  /** The task that was there at a moment that the dice name: the same one whatever other tasks there are. */
  someTask(dice: Dice): Acknowledged | undefined {
    const atMs = dice.next() * this.nowMs;
    const tasks = [...this.tasks.values()];
    return tasks.findLast((task) => task.atMs <= atMs) ?? tasks[0];
  }

  get members(): readonly AgentLife[] {
    return this.world.agents.filter(({ id }) => !this.revokedAtMs.has(id));
  }

  /** What the coordinator answers; `undefined` when it says that it cannot just now. */
  async ask<T>(action: Promise<T>): Promise<T | undefined> {
    try {
      return await this.world.settle(action);
    } catch (error) {
      if (isShoalError(error) && passing.includes(error.code)) return undefined;
      throw error;
    }
  }

  /** Whether it did: with a full disk it says why not. */
  async startAgent(agent: AgentLife): Promise<void> {
    await this.ask(agent.start());
  }

  async startCoordinator(): Promise<void> {
    await this.world.restartCoordinator();
    this.coordinatorSinceMs = this.nowMs;
  }

  acknowledge(task: Task, key?: string): void {
    const before = key === undefined ? undefined : this.keys.get(key);
    if (before?.task !== undefined && before.task !== task.id)
      this.broken.push(`the key ${key} named ${before.task} and then ${task.id}`);
    if (before) before.task = task.id;
    if (!this.tasks.has(task.id)) this.tasks.set(task.id, { id: task.id, spec: task.spec, atMs: this.nowMs });
    this.world.note(`acknowledged ${task.id}`);
  }

  /** Looks at every battery and every task, and notes what changed. */
  async look(): Promise<void> {
    for (const agent of this.world.agents) {
      this.#watchBattery(agent, coordinatorLimits.batteryFloorPct, this.belowFloorSinceMs);
      this.#watchBattery(agent, agentLimits.work.limits.batteryFloorPct, this.belowOwnFloorSinceMs);
    }
    this.seen = [];
    if (!this.world.coordinatorIsUp) return;
    const { tasks } = this.world.coordinator;
    const found = [...this.tasks.keys()].map((id) =>
      tasks.get(id).catch((error: unknown) => {
        if (!isShoalError(error, 'not-found')) throw error;
        this.broken.push(`${id} was acknowledged and is not known any more`);
        this.tasks.delete(id);
        return undefined;
      }),
    );
    const seen = await this.world.settle(Promise.all(found));
    this.seen = seen.filter((task) => task !== undefined);
    for (const { attempts } of this.seen) for (const { id, state } of attempts) this.#sight(id, state);
  }

  /** Whoever's sensors make no sense knows nothing of its battery. */
  #watchBattery({ id, machine }: AgentLife, floorPct: number, sinceMs: Map<PeerId, number>): void {
    const { battery, sensorsSay } = machine;
    const below = battery && sensorsSay === undefined && !battery.isCharging && battery.levelPct < floorPct;
    if (!below) sinceMs.delete(id);
    else if (!sinceMs.has(id)) sinceMs.set(id, this.nowMs);
  }

  #sight(attempt: string, state: string): void {
    const open = state === 'offered' || state === 'accepted';
    const sighting = this.attempts.get(attempt);
    if (!sighting) this.attempts.set(attempt, { firstMs: this.nowMs, lastOpenMs: open ? this.nowMs : 0 });
    else if (open) sighting.lastOpenMs = this.nowMs;
  }

  get allEnded(): boolean {
    return this.seen.length === this.tasks.size && this.seen.every(({ state }) => finalTaskStates.has(state));
  }
}
