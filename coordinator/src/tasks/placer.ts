import type { Clock, PeerId, Random } from '@shoal/protocol';
import type { Placement } from '../domain/index.ts';
import {
  assignTogether,
  gatherMs,
  mostTogether,
  type PlacementContext,
  type PlacementPolicy,
  place,
  Trials,
  type Warmth,
  type Work,
} from '../placement/index.ts';
import type { Registry } from '../registry/index.ts';
import type { LiveTask } from './live-task.ts';
import type { TaskCounts } from './task-counts.ts';
import { WaitingLine } from './waiting-line.ts';

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly counts: TaskCounts;
  readonly onPlaced: (live: LiveTask, placement: Placement, warm: Warmth | undefined) => void;
}

/** Tasks of a class that are looked at before the class waits: the first ones may only wait for themselves. */
const tasksLookedAt = 4;

/** The tasks that wait for a device, and the decision who goes where, alone or together with others. */
export class Placer {
  readonly #deps: Deps;
  readonly #policy: PlacementPolicy;
  readonly #line = new WaitingLine();
  readonly #trials = new Trials();
  #scheduled = false;
  /** While tasks are gathered that will be placed together. */
  #stopGathering: (() => void) | undefined;
  #paused = false;

  constructor(deps: Deps, policy: PlacementPolicy) {
    this.#deps = deps;
    this.#policy = policy;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** The task waits. It is placed when this returns, if it can be; or a moment later, with a strategy that decides on several together. */
  add(live: LiveTask): void {
    const isFirst = this.#line.size === 0;
    this.wait(live);
    if (this.#paused || this.#stopGathering) return;
    // When more waits than devices take, each goes as soon as it can.
    if (isFirst && this.#policy.strategy.together) this.#gather();
    else this.#placeClass(live.className);
  }

  /** The task waits until the fleet is looked at again. */
  wait(live: LiveTask): void {
    this.#line.add(live);
  }

  remove(live: LiveTask): void {
    this.#line.remove(live);
  }

  /** The state of the fleet is another, or a place became free. */
  wake(): void {
    if (this.#scheduled || this.#line.size === 0 || this.#paused || this.#stopGathering) return;
    this.#scheduled = true;
    this.#deps.clock.soon('tasks: dispatch', () => {
      this.#scheduled = false;
      if (!this.#paused) this.#placeAll();
    });
  }

  /** Nothing is placed any more. */
  pause(): void {
    this.#paused = true;
  }

  stop(): void {
    this.#paused = true;
    this.#stopGathering?.();
  }

  #gather(): void {
    this.#stopGathering = this.#deps.clock.after('tasks: place together', gatherMs, () => {
      this.#stopGathering = undefined;
      if (!this.#paused) this.#placeTogether();
    });
  }

  /** As many at a time as are decided on together. */
  #placeTogether(): void {
    for (let placed = true; placed && this.#line.size > 0; ) {
      const classes = this.#line.classes();
      const waiting = classes.flatMap((name) => this.#line.first(name, mostTogether)).slice(0, mostTogether);
      const works = waiting.map((live) => this.#workOf(live));
      const tried = assignTogether(this.#deps.registry.fleet, works, this.#context()).filter(({ work, device }) =>
        this.#tryPlace(waiting[work] as LiveTask, device),
      );
      placed = tried.length === waiting.length;
    }
    // Those that found no place are told why.
    this.#placeAll();
  }

  #placeAll(): void {
    for (const className of this.#line.classes()) this.#placeClass(className);
  }

  #placeClass(className: string): void {
    for (;;) {
      const looked = this.#line.first(className, tasksLookedAt);
      if (looked.length === 0 || !looked.some((live) => this.#tryPlace(live))) return;
    }
  }

  /** @param assigned the device that was decided on for it together with others. */
  #tryPlace(live: LiveTask, assigned?: PeerId): boolean {
    const { registry, counts, onPlaced } = this.#deps;
    const context = assigned === undefined ? this.#context() : { ...this.#context(), assigned };
    const plan = place(registry.fleet, this.#workOf(live), context);
    if (plan.kind === 'unplaced') {
      counts.unplaced += 1;
      if (live.task.reason !== plan.reason) {
        live.task = { ...live.task, reason: plan.reason };
        live.tell();
      }
      return false;
    }
    counts.placed += 1;
    this.#trials.placed(plan.placement, context.nowMs);
    this.#line.remove(live);
    onPlaced(live, plan.placement, plan.warm);
    return true;
  }

  #context(): PlacementContext {
    const { clock, random } = this.#deps;
    const nowMs = clock.monotonicMs();
    return { nowMs, wallMs: clock.nowMs(), random, mayTry: this.#trials.mayTry(nowMs), ...this.#policy };
  }

  #workOf({ task, resolved, dueMs, tried, declined }: LiveTask): Work {
    const { spec } = task;
    return {
      choices: resolved.choices,
      inputBytes: spec.input?.sizeBytes ?? 0,
      labels: spec.labels,
      ...(spec.device !== undefined && { device: spec.device }),
      timeLeftMs: dueMs - this.#deps.clock.monotonicMs(),
      ...(spec.critical && { critical: true }),
      ...(spec.accelerator && { accelerator: true }),
      tried,
      declined,
    };
  }
}
