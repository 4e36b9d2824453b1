export * from './capability.ts';
export { describeCapability } from './describe-capability.ts';
export { type EnergySample, energyBetweenMj, measurableRails, readEnergy } from './energy.ts';
export { busyShare } from './load.ts';
export { type ProbeOptions, probeCapability } from './probe-capability.ts';
export { readTelemetry } from './read-telemetry.ts';
export { recordingSystemReader } from './record-system.ts';
export { type RecordedCommand, type RecordedSystem, recordedSystemReader } from './recorded-system-reader.ts';
export type { CommandOutput, HostFacts, RunOptions, SystemReader } from './system-reader.ts';
