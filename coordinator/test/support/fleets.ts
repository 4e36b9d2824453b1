import type { PeerId } from '@shoal/protocol';
import {
  type DeviceSnapshot,
  defaultCostWeights,
  exactly,
  type FleetSnapshot,
  noTime,
  type PlacementPolicy,
  type Power,
  strategyNamed,
  type Work,
} from '../../src/placement/index.ts';
import { aVariant } from './models.ts';

export const aPolicy: PlacementPolicy = {
  limits: { batteryFloorPct: 30, criticalFloorPct: 15, attemptsPerDevice: 64 },
  strategy: strategyNamed('cost'),
  weights: defaultCostWeights,
};

export const onMains: Power = {
  onBattery: false,
  levelPct: undefined,
  capacityJ: undefined,
  idleWatts: 3,
  policy: {},
};

export function onBattery(levelPct: number, change: Partial<Power> = {}): Power {
  return { ...onMains, onBattery: true, levelPct, capacityJ: 36_000, ...change };
}

export interface DeviceChange extends Partial<DeviceSnapshot> {
  /** What a run of the variant `int8` takes there, always. Left out: it was not measured. */
  readonly runMs?: number;
  readonly loadedMs?: number;
}

export function aDevice(id: PeerId, change: DeviceChange = {}): DeviceSnapshot {
  const { runMs, loadedMs, ...rest } = change;
  return {
    id,
    name: id,
    kind: 'board',
    presence: 'online',
    draining: false,
    labels: {},
    power: onMains,
    hasEngine: true,
    accelerated: false,
    memoryBytes: 4e9,
    slots: 1,
    running: 0,
    backlog: noTime,
    committedJ: 0,
    placed: 0,
    cameraLoad: 0,
    cameraWatts: 0,
    pause: undefined,
    bytesPerMs: 1_000,
    rttMs: 0,
    decodeMs: 0,
    run: (_, variant) => (variant === 'int8' && runMs !== undefined ? exactly(runMs) : undefined),
    loadMs: () => (runMs === undefined ? undefined : (loadedMs ?? 0)),
    energyJ: () => undefined,
    ...rest,
  };
}

export function aFleet(devices: readonly DeviceSnapshot[], acceleratorsBusy = 0): FleetSnapshot {
  const byId = new Map(devices.map((device) => [device.id, device]));
  return { size: devices.length, acceleratorsBusy, device: (id) => byId.get(id), all: () => devices };
}

export function someWork(change: Partial<Work> = {}): Work {
  return {
    choices: [
      { model: 'm', variant: aVariant(), accuracy: 0.3 },
      { model: 'm', variant: aVariant({ name: 'float32', precision: 'float32' }), accuracy: 0.3 },
    ],
    inputBytes: 0,
    labels: {},
    tried: new Set(),
    declined: new Map(),
    ...change,
  };
}
