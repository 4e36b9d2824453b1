import type { MachineSpec } from '../world/index.ts';

/** A drawer full of boards, no two alike. */
export const machines: readonly MachineSpec[] = [
  { name: 'pi-5', cores: 4, inferenceMs: 80, loadMs: 400 },
  { name: 'pi-4', cores: 4, inferenceMs: 220, loadMs: 900, lacks: 'efficientnet-lite0' },
  { name: 'mini-pc', cores: 4, inferenceMs: 25, loadMs: 150 },
  { name: 'phone', cores: 8, inferenceMs: 60, loadMs: 300, batteryPct: 80 },
];

/** Limits that a short life meets. */
export const coordinatorLimits = {
  liveTaskLimit: 40,
  attemptsPerDevice: 6,
  inlineInputBytes: 1_000,
  leaseMs: 10_000,
};

export const agentLimits = {
  outbox: { mostResults: 60 },
  work: {
    limits: { batteryFloorPct: 20, hotC: 90, queueLimit: 4, inputBytesLimit: 1 << 20 },
  },
};
