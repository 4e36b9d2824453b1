import { decodeLevels } from '@shoal/protocol';
import type { PlacementCost } from '../domain/index.ts';
import type { CostWeights } from './cost-weights.ts';
import { costOver } from './duration.ts';
import { type Estimate, fullLoad } from './estimate.ts';

export interface CostContext {
  readonly weights: CostWeights;
  /** Until the deadline, ms; `undefined` for none. */
  readonly timeLeftMs: number | undefined;
  /** How often a second the work is done: a camera costs by the second; 1 for a task. */
  readonly perSecond: number;
  /** The best that any choice of the work reaches, 0..1. */
  readonly bestAccuracy: number;
  /** How busy the fleet's accelerators are, 0..1. */
  readonly acceleratorsBusy: number;
  /** Where the work runs now. */
  readonly current: string | undefined;
}

/** An estimate, and what a joule costs on its device, in joules of the mains. */
type Priced = Estimate & { readonly price: number };

export function costOf(priced: Priced, context: CostContext): PlacementCost {
  const lateness = latenessOf(priced, context);
  const time = timeOf(priced, context);
  const energy = energyOf(priced, context);
  const accuracy = accuracyOf(priced, context);
  const scarcity = scarcityOf(priced, context);
  const decode = decodeOf(priced, context);
  const move = moveOf(priced, context);
  const total = time + energy + accuracy + scarcity + decode + move + lateness;
  return { lateness, time, energy, accuracy, scarcity, decode, move, total };
}

/** The total of the cost, or any figure above the limit for one that is above it: being late is the dear term to find, and never below zero. */
export function totalCostWithin(limit: number, priced: Priced, context: CostContext): number {
  const punctual = punctualCostOf(priced, context);
  return punctual > limit ? punctual : punctual + latenessOf(priced, context);
}

/** All but being late. */
function punctualCostOf(priced: Priced, context: CostContext): number {
  return (
    timeOf(priced, context) +
    energyOf(priced, context) +
    accuracyOf(priced, context) +
    scarcityOf(priced, context) +
    decodeOf(priced, context) +
    moveOf(priced, context)
  );
}

function timeOf({ totalMs }: Priced, { weights, perSecond }: CostContext): number {
  return (perSecond * weights.perSecond * totalMs) / 1_000;
}

function energyOf({ energyJ, price }: Priced, { weights, perSecond }: CostContext): number {
  return perSecond * weights.perJoule * energyJ * price;
}

function accuracyOf({ choice }: Priced, { weights, bestAccuracy }: CostContext): number {
  return choice ? weights.perAccuracy * Math.max(0, bestAccuracy - choice.accuracy) : 0;
}

function scarcityOf({ device, runMs }: Priced, { weights, acceleratorsBusy }: CostContext): number {
  return device.accelerated ? (weights.perScarceSecond * runMs * acceleratorsBusy) / 1_000 : 0;
}

function decodeOf({ rung }: Priced, { weights }: CostContext): number {
  return rung ? weights.perDecodeLevel * decodeLevels.indexOf(rung.level) : 0;
}

function moveOf({ device }: Priced, { weights, current }: CostContext): number {
  return current !== undefined && current !== device.id ? weights.perMove : 0;
}

function latenessOf(priced: Priced, { weights, timeLeftMs, perSecond }: CostContext): number {
  const { perMiss, perSecondLate } = weights;
  const missed = perMiss * leftOutOf(priced, perSecond);
  if (timeLeftMs === undefined) return perSecond * missed;
  const { totalMs, varianceMs2 } = priced;
  return perSecond * (costOver(totalMs, varianceMs2, timeLeftMs, perSecondLate / 1_000, perMiss) + missed);
}

/** Of what is asked for each second, the part that is not done: what more the cameras of a full device ask for, or what its decoder does not give. */
function leftOutOf({ load, fps, rung }: Priced, perSecond: number): number {
  const given = rung ? Math.min(fps, rung.fps) : fps;
  const short = given < perSecond ? 1 - given / perSecond : 0;
  return load > fullLoad ? Math.max(short, 1 - fullLoad / load) : short;
}
