export { type Arrival, startArrivals } from './arrivals.ts';
export { CoarseWorld } from './coarse-world.ts';
export { deviceRecord } from './device-record.ts';
export type { CameraSample } from './recorder.ts';
export { usualMs, variation } from './run-times.ts';
export { silence } from './silence.ts';
export { type DeviceOutcome, type Outcome, type Scenario, simulate } from './simulate.ts';
export { Tally } from './tally.ts';
export { choicesFor } from './variants.ts';
