export { CoarseWorld } from './coarse-world.ts';
export { type DeviceOutcome, type Outcome, type Scenario, simulate } from './simulate.ts';
