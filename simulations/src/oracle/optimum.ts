import {
  appraise,
  type Candidate,
  type DeviceSnapshot,
  Laden,
  type PlacementContext,
  type Work,
} from '@shoal/coordinator';

/** What is to be solved. The fleet is as it is now for all of the works: how busy its accelerators are counts as one figure. */
export interface Problem {
  readonly devices: readonly DeviceSnapshot[];
  readonly works: readonly Work[];
  readonly acceleratorsBusy: number;
  readonly context: PlacementContext;
}

/** A piece of work that a device does, after the one before it. */
export interface Step {
  /** Its place among the works. */
  readonly work: number;
  readonly device: string;
  /** `model/variant`; `undefined`: without a model. */
  readonly choice: string | undefined;
  readonly cost: number;
}

export interface Solution {
  /** Works that are done. */
  readonly served: number;
  /** The sum of the costs of those. */
  readonly cost: number;
  /** Device by device, in the order in which each does them. */
  readonly steps: readonly Step[];
}

/** What leaving out one piece of work counts for: more than anything that doing it may cost, so that as many as can be are done. */
const leftOutCost = 1e5;
/** The first bound is so much over what the works would cost without each other; each further one, so many times as far. */
const firstSlack = 0.02;
const slackFactor = 4;

/**
 * The works on the devices, in the order and with the choices, for which the sum of their costs is least; of as many works as can be done. Exact, by
 * branch and bound: of each device, every way to do every set of the works in every order, as far as it may be part of a solution within a bound; then the
 * best way to part the works. When nothing is within the bound, it is raised. For few works: it takes exponential time.
 */
export function optimum(problem: Problem): Solution {
  const least = problem.works.map((work) => leastCost(work, problem));
  const sum = least.reduce((total, cost) => total + cost, 0);
  for (let slack = Math.max(1e-3, firstSlack * sum); ; slack *= slackFactor) {
    const solution = within(sum + slack, least, problem);
    if (solution) return solution;
  }
}

/** What the work costs at least, whatever else the devices do. */
function leastCost(work: Work, { devices, acceleratorsBusy, context }: Problem): number {
  let least = leftOutCost;
  for (const device of devices)
    for (const candidate of appraise(atItsBest(device), work, { acceleratorsBusy }, context))
      least = Math.min(least, boundOf(candidate, work, context));
  return least;
}

/** While work waits, a battery may be charged: what is refused now may be taken later. */
function atItsBest(device: DeviceSnapshot): DeviceSnapshot {
  const { power } = device;
  if (!power.policy.charging) return device;
  const full = new Laden(device, nothing);
  return Object.assign(full, { power: { ...power, levelPct: 100, capacityJ: Number.POSITIVE_INFINITY } });
}

/**
 * No more waiting makes the candidate cost less than this. A distribution whose mean is over the deadline is late by at least as much (Jensen); the chance
 * of being late is left out, for with more waiting before it the same spread is relatively less.
 */
function boundOf({ cost, totalMs }: Candidate, { timeLeftMs }: Work, { weights }: PlacementContext): number {
  const lateMs = timeLeftMs === undefined ? 0 : Math.max(0, totalMs - timeLeftMs);
  return cost.total - cost.lateness + (weights.perSecondLate * lateMs) / 1_000;
}

/** A way in which one device does some of the works: the last step of it, and what it did before. */
interface Way {
  readonly before: Way | undefined;
  readonly step: Step | undefined;
  /** A bit for each of the works. */
  readonly set: number;
  /** Which works, and what is run for each, as a number. */
  readonly key: number;
  readonly cost: number;
  readonly held: Required<ConstructorParameters<typeof Laden>[1]>;
}

const nothing: Way['held'] = { running: 0, time: { meanMs: 0, varianceMs2: 0 }, energyJ: 0, loading: new Map() };
const idle: Way = { before: undefined, step: undefined, set: 0, key: 0, cost: 0, held: nothing };

/** Whether doing this set of the works at this cost may be part of a solution. */
type IsWithin = (cost: number, set: number) => boolean;

/** Works that several devices do. */
interface Part {
  readonly cost: number;
  readonly ways: readonly Way[];
}

function within(bound: number, least: readonly number[], problem: Problem): Solution | undefined {
  const count = problem.works.length;
  const sums = sumsOf(least);
  const all = (1 << count) - 1;
  // What is left over costs at least this.
  const isWithin: IsWithin = (cost, set) => cost + (sums[all & ~set] as number) <= bound;
  let parts = new Map<number, Part>([[0, { cost: 0, ways: [] }]]);
  for (const device of problem.devices) parts = joined(parts, waysOf(device, problem, isWithin), isWithin);
  let [best, bestCost] = [undefined as Part | undefined, bound];
  for (const [set, part] of parts) {
    const cost = part.cost + leftOutCost * bitsOf(all & ~set);
    if (cost <= bestCost) [best, bestCost] = [part, cost];
  }
  return best && solutionOf(best);
}

/** For each set of works, the cheapest way in which the device does it. */
function waysOf(device: DeviceSnapshot, problem: Problem, isWithin: IsWithin): ReadonlyMap<number, Way> {
  const best = new Map<number, Way>([[0, idle]]);
  let level: readonly Way[] = [idle];
  for (let length = 1; length <= problem.works.length && level.length > 0; length++) {
    const next = new Map<number | string, Way>();
    for (const way of level) {
      for (const longer of waysAfter(way, device, problem, isWithin)) {
        const state = stateOf(device, longer.key, longer.held);
        if (longer.cost < (next.get(state)?.cost ?? Number.POSITIVE_INFINITY)) next.set(state, longer);
      }
    }
    level = [...next.values()];
    for (const way of level)
      if (way.cost < (best.get(way.set)?.cost ?? Number.POSITIVE_INFINITY)) best.set(way.set, way);
  }
  return best;
}

/** The way, and one more of the works after it, whatever is run for it. */
function* waysAfter(
  way: Way,
  device: DeviceSnapshot,
  { works, acceleratorsBusy, context }: Problem,
  isWithin: IsWithin,
): Iterable<Way> {
  const laden = new Laden(device, way.held);
  const digits = 2 + Math.max(...works.map(({ choices }) => choices.length));
  // Works of a burst are one and the same.
  const appraised = new Map<Work, readonly Candidate[]>();
  for (const [n, work] of works.entries()) {
    if (way.set & (1 << n)) continue;
    const set = way.set | (1 << n);
    const candidates = appraised.get(work) ?? appraise(laden, work, { acceleratorsBusy }, context);
    appraised.set(work, candidates);
    for (const candidate of candidates) {
      const cost = way.cost + candidate.cost.total;
      if (!isWithin(cost, set)) continue;
      const choice = 1 + work.choices.findIndex(({ key }) => key === candidate.choice?.key);
      const key = way.key + (choice + 1) * digits ** n;
      const held = heldWith(way.held, candidate, context.nowMs);
      yield { before: way, step: stepOf(n, candidate), set, key, cost, held };
    }
  }
}

function stepOf(work: number, { device, choice, cost }: Candidate): Step {
  return { work, device: device.id, choice: choice?.key, cost: cost.total };
}

/** What is run for which works: in whatever order, it leaves the device the same; but for what is loaded when, if a slot is free meanwhile. */
function stateOf({ slots }: DeviceSnapshot, key: number, { time, loading }: Way['held']): number | string {
  if (slots === 1 || loading.size === 0) return key;
  return `${key} ${time.meanMs} ${[...loading].join(' ')}`;
}

function heldWith(
  { running, time, energyJ, loading }: Way['held'],
  { choice, queueMs, loadMs, runMs, energyJ: ownJ }: Candidate,
  nowMs: number,
): Way['held'] {
  const loads = choice && loadMs > 0 && !loading.has(choice.key);
  return {
    running: running + 1,
    time: { meanMs: time.meanMs + loadMs + runMs, varianceMs2: 0 },
    energyJ: energyJ + ownJ,
    loading: loads ? new Map(loading).set(choice.key, nowMs + queueMs + loadMs) : loading,
  };
}

/** The works of the parts and those of one more device. */
function joined(
  parts: ReadonlyMap<number, Part>,
  ways: ReadonlyMap<number, Way>,
  isWithin: IsWithin,
): Map<number, Part> {
  const next = new Map<number, Part>();
  for (const [done, part] of parts) {
    for (const [set, way] of ways) {
      const [cost, both] = [part.cost + way.cost, done | set];
      if (done & set || cost >= (next.get(both)?.cost ?? Number.POSITIVE_INFINITY) || !isWithin(cost, both)) continue;
      next.set(both, { cost, ways: [...part.ways, way] });
    }
  }
  return next;
}

function solutionOf({ ways }: Part): Solution {
  const steps = ways.flatMap((way) => stepsOf(way));
  return { served: steps.length, cost: steps.reduce((sum, { cost }) => sum + cost, 0), steps };
}

function stepsOf({ before, step }: Way): readonly Step[] {
  return before && step ? [...stepsOf(before), step] : [];
}

/** Of each set of the numbers. */
function sumsOf(numbers: readonly number[]): Float64Array {
  const sums = new Float64Array(1 << numbers.length);
  for (let set = 1; set < sums.length; set++) {
    const lowest = 31 - Math.clz32(set & -set);
    sums[set] = (sums[set & (set - 1)] as number) + (numbers[lowest] as number);
  }
  return sums;
}

function bitsOf(set: number): number {
  let bits = 0;
  for (let left = set; left !== 0; left &= left - 1) bits += 1;
  return bits;
}
