export { CoarseWorld } from './coarse-world.ts';
export { deviceRecord } from './device-record.ts';
export { type DeviceOutcome, type Outcome, type Scenario, simulate } from './simulate.ts';
export { choicesFor } from './variants.ts';
