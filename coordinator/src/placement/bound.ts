import { Candidate } from './candidate.ts';
import { type CostContext, type CostWeights, totalCostWithin } from './cost.ts';
import { estimateTask } from './estimate.ts';
import { floorOf, isTooSlow, lastingRefusalOf } from './feasible.ts';
import { type Menu, menuOf, readFigures } from './menu.ts';
import { energyPrice } from './power.ts';
import type { Choice, DeviceSnapshot, Figures, PlacementLimits, Work } from './snapshot.ts';

/** Deadlines are told apart in so many steps for each factor of two. */
const dueSteps = 8;
const mostDueSteps = 250;
const mostSizeSteps = 40;

/** Of what bounds depend on, what is neither in the choices nor in the policy: of works with the same variety, bounds are the same. */
export function varietyOf({ timeLeftMs, inputBytes, critical, accelerator }: Work): number {
  const due = timeLeftMs === undefined ? 0 : dueStepOf(timeLeftMs);
  const needs = (critical ? 2 : 0) + (accelerator ? 1 : 0);
  return (due * (mostSizeSteps + 1) + sizeStepOf(inputBytes)) * 4 + needs;
}

/**
 * What a task costs at least on a device. Tasks that are told apart by nothing but a little time or a few bytes have the same bound, as if they had the
 * most time and the fewest bytes of their variety: so bounds can be kept.
 */
export class CostBound {
  readonly #menu: Menu;
  readonly #work: Work;
  readonly #limits: PlacementLimits;
  readonly #nowMs: number;
  readonly #context: CostContext;
  readonly #figures: Figures[] = [];

  constructor(work: Work, limits: PlacementLimits, weights: CostWeights, nowMs: number) {
    const { timeLeftMs, ...rest } = work;
    const size = sizeStepOf(work.inputBytes);
    const rounded = timeLeftMs === undefined ? {} : { timeLeftMs: 2 ** (dueStepOf(timeLeftMs) / dueSteps) };
    this.#menu = menuOf(work.choices);
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#work = { ...rest, ...rounded, inputBytes: size === 0 ? 0 : 2 ** (size - 1) - 1 };
    this.#context = {
      weights,
      timeLeftMs: rounded.timeLeftMs,
      perSecond: 1,
      bestAccuracy: this.#menu.bestAccuracy,
      acceleratorsBusy: 0,
      current: undefined,
    };
  }

  /** @param waitMs until a slot is free. */
  on(device: DeviceSnapshot, waitMs: number): number {
    if (lastingRefusalOf(device, this.#work, this.#limits) !== undefined) return Number.POSITIVE_INFINITY;
    const { choices } = this.#menu;
    const candidate = new Candidate(device, this.#context);
    const { weights } = this.#context;
    candidate.price = energyPrice(device.power, floorOf(device, this.#work, this.#limits), weights.whileCharging);
    if (choices.length === 0) return this.#cost(candidate, undefined, undefined, waitMs);
    const measured = readFigures(device, this.#menu, this.#figures);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < choices.length; i++) {
      const figures = this.#figures[i];
      if (measured && !figures?.run) continue;
      least = Math.min(least, this.#cost(candidate, choices[i], figures, waitMs));
    }
    return least;
  }

  #cost(candidate: Candidate, choice: Choice | undefined, figures: Figures | undefined, waitMs: number): number {
    candidate.choice = choice;
    estimateTask(candidate, figures, { meanMs: waitMs, varianceMs2: 0 }, this.#work, this.#nowMs);
    if (isTooSlow(candidate, this.#work)) return Number.POSITIVE_INFINITY;
    return totalCostWithin(Number.POSITIVE_INFINITY, candidate, this.#context);
  }
}

function dueStepOf(timeLeftMs: number): number {
  return Math.min(mostDueSteps, Math.max(1, Math.ceil(Math.log2(Math.max(1, timeLeftMs)) * dueSteps)));
}

function sizeStepOf(bytes: number): number {
  return Math.min(mostSizeSteps, Math.ceil(Math.log2(Math.max(0, bytes) + 1)));
}
