import { Candidate } from '../candidate.ts';
import { type CostContext, totalCostWithin } from '../cost.ts';
import { exactly } from '../duration.ts';
import { estimateTask } from '../estimate.ts';
import { floorOf, isTooSlow, lastingRefusalOf } from '../feasible.ts';
import { type Menu, menuOf } from '../menu.ts';
import type { PlacementContext } from '../policy.ts';
import { energyPrice } from '../power.ts';
import type { DeviceSnapshot, PlacementLimits, Work } from '../snapshot.ts';

/** So many steps for each factor of two are told apart of a deadline, and of the size of an input. */
const dueSteps = 8;
const sizeSteps = 2;
const mostDueSteps = 31 * dueSteps;
const mostSizeSteps = 40 * sizeSteps;
/** And of how busy accelerators are, in all. */
const busySteps = 8;

/** Of what typical costs depend on, what is neither in the choices nor in the policy: of works with the same variety, they are the same. */
export function varietyOf({ timeLeftMs, inputBytes, critical, accelerator }: Work, acceleratorsBusy: number): number {
  const needs = (critical ? 2 : 0) + (accelerator ? 1 : 0);
  const due = timeLeftMs === undefined ? 0 : dueStepOf(timeLeftMs);
  const busy = Math.round(acceleratorsBusy * busySteps);
  return ((due * (mostSizeSteps + 1) + sizeStepOf(inputBytes)) * (busySteps + 1) + busy) * 4 + needs;
}

/**
 * What a task typically costs on a device. Tasks that are told apart by nothing but a little time or a few bytes are taken for the same, in the middle of
 * their variety: so what it costs can be kept.
 */
export class TypicalCost {
  readonly #menu: Menu;
  readonly #work: Work;
  readonly #limits: PlacementLimits;
  readonly #nowMs: number;
  readonly #context: CostContext;

  constructor(work: Work, { limits, weights, nowMs }: PlacementContext, acceleratorsBusy: number) {
    const { timeLeftMs, ...rest } = work;
    const dueStep = timeLeftMs === undefined ? undefined : dueStepOf(timeLeftMs);
    const sizeStep = sizeStepOf(work.inputBytes);
    this.#menu = menuOf(work.choices);
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#work = {
      ...rest,
      // Whatever is in time with the most time of the variety is in time for some of it.
      ...(dueStep !== undefined && { timeLeftMs: 2 ** (dueStep / dueSteps) }),
      inputBytes: sizeStep === 0 ? 0 : 2 ** ((sizeStep - 0.5) / sizeSteps),
    };
    this.#context = {
      weights,
      timeLeftMs: dueStep === undefined ? undefined : 2 ** ((dueStep - 0.5) / dueSteps),
      perSecond: 1,
      bestAccuracy: this.#menu.bestAccuracy,
      acceleratorsBusy: Math.round(acceleratorsBusy * busySteps) / busySteps,
      current: undefined,
    };
  }

  /**
   * @param waitMs until a slot is free.
   * @returns infinity when the work cannot be done there.
   */
  on(device: DeviceSnapshot, waitMs: number): number {
    if (lastingRefusalOf(device, this.#work, this.#limits) !== undefined) return Number.POSITIVE_INFINITY;
    const options = device.options(this.#menu);
    const count = options.choices.length;
    const candidate = new Candidate(device, this.#context);
    const { weights } = this.#context;
    candidate.price = energyPrice(device.power, floorOf(device, this.#work, this.#limits), weights.whileCharging);
    const wait = exactly(waitMs);
    let least = Number.POSITIVE_INFINITY;
    for (let option = 0; option < Math.max(1, count); option++) {
      estimateTask(candidate, count === 0 ? undefined : option, options, wait, this.#work, this.#nowMs);
      if (!isTooSlow(candidate, this.#work)) least = Math.min(least, totalCostWithin(least, candidate, this.#context));
    }
    return least;
  }
}

function dueStepOf(timeLeftMs: number): number {
  return Math.min(mostDueSteps, Math.max(1, Math.ceil(Math.log2(Math.max(1, timeLeftMs)) * dueSteps)));
}

function sizeStepOf(bytes: number): number {
  return Math.min(mostSizeSteps, Math.ceil(Math.log2(Math.max(1, bytes)) * sizeSteps));
}
