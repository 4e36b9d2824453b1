import type { PlacementRefusal } from '../domain/index.ts';
import { Candidate } from './candidate.ts';
import type { CostContext } from './cost.ts';
import { estimateStream, estimateTask, type Wait, waitOn } from './estimate.ts';
import { floorOf, refusalOf, unfitness, unfitnessInTime } from './feasible.ts';
import { CheapestFinds, type Finds, ListedFinds } from './finds.ts';
import { TypicalCost, varietyOf } from './large-fleets/typical-cost.ts';
import { type Menu, menuOf } from './menu.ts';
import type { Options } from './options.ts';
import type { PlacementContext } from './policy.ts';
import { energyPrice } from './power.ts';
import { refusal, unfitRefusal } from './refusals.ts';
import type { DeviceSnapshot, FleetSearch, FleetSnapshot, Work } from './snapshot.ts';

/** The candidate that is taken and the best of the others, where every device is looked at; and where a search looks at a few that may be the best. */
const mostOfAll = 9;
export const mostOfSome = 5;
/** Refusals that are kept with a placement: all of a small fleet, some of a large one. */
const refusalsKept = 32;

/** Looks at devices one by one: who could take the work and at what cost, and who not and why. */
export class Survey implements FleetSearch {
  readonly work: Work;
  readonly refused: PlacementRefusal[] = [];
  considered = 0;
  readonly #context: PlacementContext;
  readonly #cost: CostContext;
  readonly #menu: Menu;
  readonly #mostKept: number;
  /** On devices where it was not tried yet. */
  readonly #fresh: Finds;
  /** Where it was, and where it would be late by what was said: only for work that nobody else can take. Most surveys need neither. */
  #again: Finds | undefined;
  #trials: Finds | undefined;
  readonly #triedInVain: DeviceSnapshot[] = [];
  #typical: TypicalCost | undefined;
  #spare: Candidate | undefined;
  #freshLater = false;

  constructor(
    { acceleratorsBusy }: Pick<FleetSnapshot, 'acceleratorsBusy'>,
    work: Work,
    context: PlacementContext,
    mostKept = mostOfAll,
  ) {
    const { weights, current } = context;
    this.work = work;
    this.#context = context;
    this.#mostKept = mostKept;
    this.#menu = menuOf(work.choices);
    const { bestAccuracy } = this.#menu;
    const perSecond = work.stream?.fps ?? 1;
    const cost = { weights, timeLeftMs: work.timeLeftMs, perSecond, bestAccuracy, acceleratorsBusy, current };
    this.#cost = cost;
    this.#fresh = this.#newFinds();
  }

  get least(): number {
    return this.#fresh.least;
  }

  get sort(): FleetSearch['sort'] {
    const { limits, weights } = this.#context;
    return { menu: this.#menu.key, variety: varietyOf(this.work, this.#cost.acceleratorsBusy), limits, weights };
  }

  typicalCost(device: DeviceSnapshot, waitMs: number): number {
    this.#typical ??= new TypicalCost(this.work, this.#context, this.#cost.acceleratorsBusy);
    return this.#typical.on(device, waitMs);
  }

  look(device: DeviceSnapshot): void {
    this.considered += 1;
    const { work } = this;
    const { limits } = this.#context;
    const tried = work.tried.size > 0 && work.tried.has(device.id);
    const reason = refusalOf(device, work, limits, this.#context);
    if (reason !== undefined) {
      if (reason === 'busy' && !tried) this.#freshLater = true;
      if (this.#keepsRefusals) this.refused.push(refusal(reason, device, work, limits, this.#context));
    } else if (tried) {
      this.#again ??= this.#newFinds();
      if (this.#choose(device, this.#again)) this.#triedInVain.push(device);
    } else this.#choose(device, this.#fresh);
  }

  /** What was found where it was not tried yet. */
  get fresh(): Finds {
    return this.#fresh;
  }

  /** What was found: a device where it was tried counts only when no other could do it, now or once it is less busy. */
  get found(): Finds {
    if (this.#fresh.isEmpty && this.#trials && !this.#trials.isEmpty) return this.#trials;
    if (this.#fresh.isEmpty && !this.#freshLater && this.#again) return this.#again;
    for (const { id } of this.#triedInVain.splice(0))
      if (this.#keepsRefusals)
        this.refused.push({ device: id, reason: 'tried-before', detail: 'it did not succeed there' });
    return this.#fresh;
  }

  get #keepsRefusals(): boolean {
    return this.refused.length < refusalsKept;
  }

  /** @returns whether it can be done there at all. */
  #choose(device: DeviceSnapshot, finds: Finds): boolean {
    const { limits, weights } = this.#context;
    const wait = waitOn(device);
    const price = energyPrice(device.power, floorOf(device, this.work, limits), weights.whileCharging);
    const options = device.options(this.#menu);
    const count = options.choices.length;
    let unfit: PlacementRefusal | undefined;
    let fits = 0;
    // A pipeline without a model has no choices, and is still one way to do the work.
    for (let option = 0; option < Math.max(1, count); option++) {
      const candidate = this.#estimate(device, count === 0 ? undefined : option, options, wait);
      candidate.price = price;
      const reason = unfitness(candidate, this.work, limits, this.#context);
      if (reason === undefined) {
        fits += 1;
        this.#spare = finds.add(candidate);
      } else if (reason === 'too-slow' && finds === this.#fresh && this.#isTried(candidate)) fits += 1;
      else if (fits === 0 && this.#keepsRefusals) {
        unfit ??= unfitRefusal(reason, candidate, this.work, limits, this.#context);
      }
    }
    if (fits === 0 && unfit) this.refused.push(unfit);
    return fits > 0;
  }

  /** It would be late by what was said of it, which no run has shown: kept for the case that nobody else can do the work. */
  #isTried(candidate: Candidate): boolean {
    const { mayTry, limits } = this.#context;
    if (!mayTry || !candidate.unproven) return false;
    if (unfitnessInTime(candidate, this.work, limits, this.#context) !== undefined) return false;
    candidate.trial = true;
    this.#trials ??= this.#newFinds();
    this.#spare = this.#trials.add(candidate);
    if (this.#spare) this.#spare.trial = false;
    return true;
  }

  #newFinds(): Finds {
    const { strategy, random } = this.#context;
    return strategy.leastCost
      ? new CheapestFinds(this.#cost, random, this.#mostKept)
      : new ListedFinds(strategy, this.work, random, this.#mostKept);
  }

  #estimate(device: DeviceSnapshot, option: number | undefined, options: Options, wait: Wait): Candidate {
    const { stream } = this.work;
    const candidate = this.#spare ?? new Candidate(device, this.#cost);
    this.#spare = candidate;
    candidate.device = device;
    if (stream) estimateStream(candidate, option, options, stream);
    else estimateTask(candidate, option, options, wait, this.work, this.#context.nowMs);
    candidate.moreBytes = option === undefined ? 0 : options.moreBytes(option, this.#context.nowMs);
    return candidate;
  }
}
