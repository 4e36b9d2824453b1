import type { PeerId, Random } from '@shoal/protocol';
import type { Placement, PlacementCandidate, PlacementRefusal } from '../domain/index.ts';
import { type CostWeights, costOf } from './cost.ts';
import { p95Ms } from './duration.ts';
import { type Estimate, estimates } from './estimate.ts';
import { floorOf, refusalOf } from './feasible.ts';
import { projectedLevelPct } from './power.ts';
import type { DeviceSnapshot, FleetSnapshot, PlacementLimits, Work } from './snapshot.ts';
import type { Candidate, Strategy } from './strategy.ts';

export type Plan =
  | {
      readonly kind: 'placed';
      readonly placement: Placement;
      /** A device that would have been better, had it only had its model in memory: worth telling it to load it. */
      readonly warm?: Warmth;
    }
  | { readonly kind: 'unplaced'; readonly refused: readonly PlacementRefusal[]; readonly reason: string };

/** A variant that a device should have in memory. */
export interface Warmth {
  readonly device: PeerId;
  readonly model: string;
  readonly variant: string;
}

/** How an operator wants work placed. */
export interface PlacementPolicy {
  readonly limits: PlacementLimits;
  readonly strategy: Strategy;
  readonly weights: CostWeights;
}

export interface PlacementContext extends PlacementPolicy {
  /** Monotonic, ms. */
  readonly nowMs: number;
  /** Wall clock, for what happens at a time of the day; ms since the Unix epoch. */
  readonly wallMs: number;
  readonly random: Random;
  /** Where the work runs now, when it is looked at anew. */
  readonly current?: PeerId;
}

/** Candidates and refusals that are kept with a placement: all of a small fleet, the telling ones of a large one. */
const othersKept = 8;
const refusalsKept = 32;

/** A camera has no end: a battery must last for so long, ms. Looked at again long before. */
const cameraHorizonMs = 30 * 60_000;

/**
 * Decides which device runs the work, and what it runs: the strategy's choice among those that can take it. Pure: the same snapshot, work, time and
 * randomness give the same plan.
 *
 * A device where the work failed before is taken again only when no other one could do it, now or once it is less busy.
 */
export function place(fleet: FleetSnapshot, work: Work, context: PlacementContext): Plan {
  const some = fleet.promising?.(work);
  if (some) {
    const plan = placeAmong(some, fleet, work, context);
    // The few that were looked at do not speak for the others.
    if (plan.kind === 'placed') return plan;
  }
  const only = work.device === undefined ? undefined : fleet.device(work.device);
  return placeAmong(only ? [only] : fleet.all(), fleet, work, context);
}

function placeAmong(
  devices: Iterable<DeviceSnapshot>,
  fleet: FleetSnapshot,
  work: Work,
  context: PlacementContext,
): Plan {
  const { random, strategy } = context;
  const survey = new Survey(fleet, work, context);
  for (const device of devices) survey.look(device);
  const { refused } = survey;
  const candidates = survey.candidates();
  const scores = strategy.scores(candidates, { work, random });
  const ranked = new Ranking(candidates, scores, random).first(othersKept + 1);
  const [chosen, ...others] = ranked.map(shown);
  if (!chosen || !ranked[0]) return { kind: 'unplaced', refused, reason: reasonOf(refused, fleet.size) };
  const placement = { strategy: strategy.name, chosen, others, refused, considered: survey.considered };
  const warm = strategy.warms ? survey.betterIfWarm(ranked[0]) : undefined;
  return { kind: 'placed', placement, ...(warm && { warm }) };
}

/** Who could take the work, and who not and why. */
class Survey {
  readonly refused: PlacementRefusal[] = [];
  considered = 0;
  readonly #fleet: FleetSnapshot;
  readonly #work: Work;
  readonly #context: PlacementContext;
  readonly #bestAccuracy: number;
  readonly #fresh: Candidate[] = [];
  readonly #again: Candidate[] = [];
  #freshLater = false;

  constructor(fleet: FleetSnapshot, work: Work, context: PlacementContext) {
    this.#fleet = fleet;
    this.#work = work;
    this.#context = context;
    this.#bestAccuracy = work.choices.reduce((best, { accuracy }) => Math.max(best, accuracy), 0);
  }

  look(device: DeviceSnapshot): void {
    this.considered += 1;
    const work = this.#work;
    const { limits, nowMs } = this.#context;
    const tried = work.tried.size > 0 && work.tried.has(device.id);
    const refusal = refusalOf(device, work, limits, nowMs);
    if (refusal) {
      if (refusal.reason === 'busy' && !tried) this.#freshLater = true;
      this.#refuse(refusal);
      return;
    }
    let why: PlacementRefusal | undefined;
    let fits = 0;
    for (const estimate of estimates(device, work, nowMs)) {
      const unfit = this.#unfit(estimate);
      if (unfit) why ??= unfit;
      else {
        fits += 1;
        (tried ? this.#again : this.#fresh).push(this.#candidate(estimate));
      }
    }
    if (fits === 0 && why) this.#refuse(why);
  }

  candidates(): readonly Candidate[] {
    if (this.#fresh.length > 0 || this.#freshLater) {
      for (const device of new Set(this.#again.map((candidate) => candidate.device.id)))
        this.#refuse({ device, reason: 'tried-before', detail: 'it did not succeed there' });
      return this.#fresh;
    }
    return this.#again;
  }

  /** The best of those that would cost less than the chosen one if they had not to load first. */
  betterIfWarm(chosen: Candidate): Warmth | undefined {
    let best: Warmth | undefined;
    let least = chosen.cost.total;
    for (const { choice, loadMs, total, ...rest } of this.#fresh) {
      if (!choice || loadMs === 0) continue;
      const warm = { ...rest, choice, loadMs: 0, total: { ...total, meanMs: total.meanMs - loadMs } };
      const cost = this.#cost(warm).total;
      if (cost >= least) continue;
      least = cost;
      best = { device: rest.device.id, model: choice.model, variant: choice.variant.name };
    }
    return best;
  }

  #refuse(refusal: PlacementRefusal): void {
    if (this.refused.length < refusalsKept) this.refused.push(refusal);
  }

  /** Why this choice cannot be run here, though another one might. */
  #unfit(estimate: Estimate): PlacementRefusal | undefined {
    const { device } = estimate;
    return tooSlow(estimate, this.#work) ?? this.#tooMuchForBattery(device, estimate);
  }

  #tooMuchForBattery(device: DeviceSnapshot, { energyJ, total }: Estimate): PlacementRefusal | undefined {
    if (!device.power.onBattery) return undefined;
    const { limits, wallMs } = this.#context;
    const { stream } = this.#work;
    const durationMs = stream ? cameraHorizonMs : total.meanMs;
    const ownJ = stream ? (energyJ * stream.fps * durationMs) / 1_000 : energyJ;
    const watts = device.cameraWatts - (stream?.current?.device === device.id ? stream.current.watts : 0);
    const drawnJ = device.committedJ + ownJ + (watts * durationMs) / 1_000;
    const levelPct = projectedLevelPct(device.power, drawnJ, durationMs, wallMs);
    const floorPct = floorOf(device, this.#work, limits);
    if (levelPct === undefined || levelPct >= floorPct) return undefined;
    const detail = `battery would be at ${levelPct.toFixed(1)} % when it is done, floor ${floorPct} %`;
    return { device: device.id, reason: 'battery', detail };
  }

  #candidate(estimate: Estimate): Candidate {
    const costOf = (of: Estimate) => this.#cost(of);
    let made: Candidate['cost'] | undefined;
    return {
      ...estimate,
      get cost() {
        made ??= costOf(estimate);
        return made;
      },
    };
  }

  #cost(estimate: Estimate): Candidate['cost'] {
    const { weights, limits, current } = this.#context;
    return costOf(estimate, this.#work, {
      weights,
      floorPct: floorOf(estimate.device, this.#work, limits),
      bestAccuracy: this.#bestAccuracy,
      acceleratorsBusy: this.#fleet.acceleratorsBusy,
      moves: current !== undefined && current !== estimate.device.id,
    });
  }
}

/** A guess does not refuse, only a measurement: even with nothing to wait for the device would be late. */
function tooSlow({ device, transferMs, run, measured }: Estimate, { timeLeftMs }: Work): PlacementRefusal | undefined {
  const aloneMs = transferMs + run.meanMs;
  if (timeLeftMs === undefined || !measured || aloneMs <= timeLeftMs) return undefined;
  return {
    device: device.id,
    reason: 'too-slow',
    detail: `needs ${Math.ceil(aloneMs)} ms, ${Math.max(0, Math.floor(timeLeftMs))} ms are left`,
  };
}

/** The few candidates with the least scores, in order, without sorting a large fleet. */
class Ranking {
  readonly #candidates: readonly Candidate[];
  readonly #scores: readonly number[];
  readonly #random: Random;

  constructor(candidates: readonly Candidate[], scores: readonly number[], random: Random) {
    this.#candidates = candidates;
    this.#scores = scores;
    this.#random = random;
  }

  first(count: number): readonly Candidate[] {
    const best: number[] = [];
    let equals = 1;
    for (let i = 0; i < this.#candidates.length; i++) {
      if (this.#scores[i] === Number.POSITIVE_INFINITY) continue;
      let place = best.length;
      while (place > 0 && this.#isBefore(i, best[place - 1] as number)) place -= 1;
      if (place > 0 && !this.#isBefore(best[0] as number, i)) {
        // Of n equals each comes first with a chance of 1/n.
        equals += 1;
        if (this.#random.next() * equals < 1) place = 0;
      } else if (place === 0) equals = 1;
      if (place >= count) continue;
      best.splice(place, 0, i);
      if (best.length > count) best.pop();
    }
    return best.map((i) => this.#candidates[i] as Candidate);
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#scores[a] ?? 0) - (this.#scores[b] ?? 0);
    if (difference !== 0) return difference < 0;
    return (this.#candidates[a]?.run.meanMs ?? 0) < (this.#candidates[b]?.run.meanMs ?? 0);
  }
}

function shown({
  device,
  choice,
  queue,
  transferMs,
  loadMs,
  run,
  total,
  energyJ,
  cost,
}: Candidate): PlacementCandidate {
  return {
    device: device.id,
    ...(choice && { model: choice.model, variant: choice.variant.name, accuracy: choice.accuracy }),
    queueMs: queue.meanMs,
    transferMs,
    loadMs,
    inferenceMs: run.meanMs,
    totalMs: total.meanMs,
    p95Ms: p95Ms(total),
    energyJ,
    cost,
  };
}

/** Why nothing was found, for a person: the reasons, most frequent first. */
function reasonOf(refused: readonly PlacementRefusal[], considered: number): string {
  if (considered === 0) return 'no device has joined';
  const counts = new Map<string, number>();
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} (${count})`);
  return `no device can take it now: ${reasons.join(', ')}`;
}
