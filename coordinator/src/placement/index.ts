export { appraise } from './appraise.ts';
export type { Candidate } from './candidate.ts';
export type { Choice, Figures } from './choice.ts';
export { aChoice, variantKey } from './choice.ts';
export { type CostWeights, defaultCostWeights, readCostWeights } from './cost-weights.ts';
export { type Duration, exactly, fromQuantiles, noTime, slowed, sum } from './duration.ts';
export { cameraShare, fullLoad } from './estimate.ts';
export type { Warmth } from './finds.ts';
export { FleetIndex, type FleetIndexOptions } from './large-fleets/fleet-index.ts';
export { likenessOf, memoryStepOf } from './large-fleets/likeness.ts';
export type { Menu } from './menu.ts';
export { Options, optionsOf } from './options.ts';
export { type Plan, place } from './place.ts';
export type { PlacementContext, PlacementPolicy } from './policy.ts';
export { type Power, projectedLevelPct } from './power.ts';
export type { CameraShare, DeviceSnapshot, FleetSnapshot, PlacementLimits, Stream, Work } from './snapshot.ts';
export { strategies, strategyNamed } from './strategies/index.ts';
export type { Strategy } from './strategy.ts';
export { type Apportionment, type Asker, apportion, leastRate } from './streams/apportion.ts';
export {
  assumedFps,
  coresOf,
  type DecodeBudget,
  decodeCapacity,
  decodeLadder,
  type Footage,
  nearlyAll,
  unknownFootage,
} from './streams/decode-ladder.ts';
export { placementSummary } from './summary.ts';
export { assignTogether, gatherMs, mostTogether } from './together/assign-together.ts';
export { Laden } from './together/laden.ts';
export type { Assignment } from './together/rehearsal.ts';
export { Trials } from './trials.ts';
