export { type CostWeights, defaultCostWeights } from './cost.ts';
export { type Duration, exactly, fromQuantiles, noTime, slowed, sum } from './duration.ts';
export { cameraShare } from './estimate.ts';
export { FleetIndex, type FleetIndexOptions } from './fleet-index.ts';
export { type PlacementContext, type PlacementPolicy, type Plan, place, type Warmth } from './place.ts';
export { type Power, projectedLevelPct } from './power.ts';
export type { Choice, DeviceSnapshot, FleetSnapshot, PlacementLimits, Stream, Work } from './snapshot.ts';
export { strategies, strategyNamed } from './strategies/index.ts';
export type { Candidate, Strategy } from './strategy.ts';
