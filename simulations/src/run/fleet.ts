import type { MachineSpec, NetworkOptions } from '../world/index.ts';

/** What lies on their disks, and is measured therefore. */
const holds = (model: string, variant: string): boolean =>
  variant === 'int8' && (model === 'efficientdet-lite0' || model === 'efficientnet-lite0');

/** A drawer full of boards, no two alike. */
export const machines: readonly MachineSpec[] = [
  { name: 'pi-5', cores: 4, inferenceMs: 80, loadMs: 400, holds },
  { name: 'pi-4', cores: 4, inferenceMs: 220, loadMs: 900, lacks: 'efficientnet-lite0', holds },
  { name: 'mini-pc', cores: 4, inferenceMs: 25, loadMs: 150, holds },
  {
    name: 'phone',
    cores: 8,
    inferenceMs: 60,
    loadMs: 300,
    holds,
    // Small, so that a life of minutes is long to it.
    battery: {
      levelPct: 45,
      wattHours: 1,
      idleWatts: 0.5,
      workWatts: 4,
      charging: { fromMs: 60_000, toMs: 120_000, watts: 6 },
    },
  },
];

/** Limits that a short life meets. */
export const coordinatorLimits = {
  liveTaskLimit: 40,
  attemptsPerDevice: 6,
  inlineInputBytes: 1_000,
  leaseMs: 10_000,
  cameraLimit: 5,
  batteryFloorPct: 30,
};

export const agentLimits = {
  outbox: { mostResults: 60, mostBytes: 100_000 },
  work: {
    concurrency: 2,
    limits: { batteryFloorPct: 20, hotC: 90, queueLimit: 4, inputBytesLimit: 1 << 20 },
  },
};

export const faultyNetwork: NetworkOptions = { latencyMs: 5, jitterMs: 30, loss: 0.05, duplication: 0.05 };
