import type { PlacementCost } from '../domain/index.ts';
import { chanceOver, expectedLatenessMs } from './duration.ts';
import type { Estimate } from './estimate.ts';
import { energyPrice } from './power.ts';
import type { Work } from './snapshot.ts';

/**
 * What each term of the cost weighs. The unit is the joule of the mains: a placement that costs 1 is as good as one that draws a joule more. The
 * defaults were chosen by measurement in the simulator (docs/placement.md says how).
 */
export interface CostWeights {
  /** For a second that the result is expected to be late. */
  readonly perSecondLate: number;
  /** For the chance that it is late at all. */
  readonly perMiss: number;
  /** For a second until the result is there, in time or not. */
  readonly perSecond: number;
  /** For a joule at the device's own price. */
  readonly perJoule: number;
  /** What a joule costs on a device that is being charged; 1 on the mains. */
  readonly whileCharging: number;
  /** For an accuracy of 1.0 given up against the best choice. */
  readonly perAccuracy: number;
  /** For a second of an accelerator that all others of its kind are busy beside. */
  readonly perScarceSecond: number;
  /** For moving work that runs already. */
  readonly perMove: number;
}

export const defaultCostWeights: CostWeights = {
  perSecondLate: 0.6,
  perMiss: 0.3,
  perSecond: 0.1,
  perJoule: 1,
  whileCharging: 0.5,
  perAccuracy: 0.3,
  perScarceSecond: 0.1,
  perMove: 2,
};

export interface CostContext {
  readonly weights: CostWeights;
  /** Of the device's battery for this work, percent. */
  readonly floorPct: number;
  /** The best that any choice of the work reaches, 0..1. */
  readonly bestAccuracy: number;
  /** How busy the fleet's accelerators are, 0..1. */
  readonly acceleratorsBusy: number;
  /** The work runs elsewhere now. */
  readonly moves: boolean;
}

export function costOf(estimate: Estimate, { timeLeftMs, stream }: Work, context: CostContext): PlacementCost {
  const { weights, floorPct, bestAccuracy, acceleratorsBusy, moves } = context;
  const { device, choice, total, run } = estimate;
  // A camera costs by the second: so many frames, so many joules.
  const perSecond = stream?.fps ?? 1;
  const late = timeLeftMs === undefined ? 0 : latenessCost(estimate, timeLeftMs, weights);
  const lateness = perSecond * (late + weights.perMiss * leftOut(estimate));
  const time = (perSecond * weights.perSecond * total.meanMs) / 1_000;
  const price = energyPrice(device.power, floorPct, weights.whileCharging);
  const energy = perSecond * weights.perJoule * estimate.energyJ * price;
  const accuracy = choice ? weights.perAccuracy * Math.max(0, bestAccuracy - choice.accuracy) : 0;
  const scarcity = device.accelerated ? (weights.perScarceSecond * run.meanMs * acceleratorsBusy) / 1_000 : 0;
  const move = moves ? weights.perMove : 0;
  return {
    lateness,
    time,
    energy,
    accuracy,
    scarcity,
    move,
    total: lateness + time + energy + accuracy + scarcity + move,
  };
}

/** A device is taken to be full at this part of its time: what more its cameras ask for is left out. */
const fullLoad = 0.9;

/** The part of a camera's frames that would be left out, 0..1. */
function leftOut({ load }: Estimate): number {
  return load && load.all > fullLoad ? 1 - fullLoad / load.all : 0;
}

function latenessCost({ total }: Estimate, timeLeftMs: number, weights: CostWeights): number {
  const late = (weights.perSecondLate * expectedLatenessMs(total, timeLeftMs)) / 1_000;
  return late + weights.perMiss * chanceOver(total, timeLeftMs);
}
