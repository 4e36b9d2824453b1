export { type Plan, place } from './place.ts';
export type { DeviceSnapshot, FleetSnapshot, PlacementLimits, Work } from './snapshot.ts';
