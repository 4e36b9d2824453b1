import type { PeerId } from '@shoal/protocol';
import {
  aChoice,
  type DeviceSnapshot,
  defaultCostWeights,
  exactly,
  type Figures,
  type FleetSnapshot,
  likenessOf,
  type Menu,
  noTime,
  type Options,
  optionsOf,
  type PlacementPolicy,
  type Power,
  strategyNamed,
  type Work,
} from '../../src/placement/index.ts';
import { aVariant } from './models.ts';

export const aPolicy: PlacementPolicy = {
  limits: { batteryFloorPct: 30, criticalFloorPct: 15, batteryMarginPct: 0, attemptsPerDevice: 64 },
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
  /** What loading it takes; left out: it is in memory. */
  readonly loadMs?: number;
  /** What a run draws, joules; left out: not known. */
  readonly energyJ?: number;
  /** What is known of more variants, by `model/variant`. */
  readonly variants?: { readonly [key: string]: Partial<Figures> };
}

/** A variant that is in memory and of which nothing else is known. */
const unknownFigures: Figures = { run: undefined, energyJ: undefined, loadMs: undefined, loadedUntilMs: 0 };
const inMemory = Number.POSITIVE_INFINITY;

export function aDevice(id: PeerId, change: DeviceChange = {}): DeviceSnapshot {
  const { runMs, loadMs, energyJ, variants: more = {}, ...rest } = change;
  const variants = new Map<string, Figures>(
    Object.entries(more).map(([key, known]) => [key, { ...unknownFigures, loadedUntilMs: inMemory, ...known }]),
  );
  if (runMs !== undefined) {
    variants.set('m/int8', {
      run: exactly(runMs),
      energyJ,
      loadMs,
      loadedUntilMs: loadMs === undefined ? inMemory : 0,
    });
  }
  const device = {
    id,
    name: id,
    kind: 'board',
    presence: 'online' as const,
    draining: false,
    labels: {},
    power: onMains,
    hasEngine: true,
    accelerated: false,
    freeBytes: 4e9,
    slots: 1,
    running: 0,
    backlog: noTime,
    committedJ: 0,
    placed: 0,
    cameraLoad: 0,
    cameraWatts: 0,
    decode: { capacity: 100, taken: 0, factor: 1 },
    heat: undefined,
    pause: undefined,
    bytesPerMs: 1_000,
    rttMs: 0,
    decodeMs: 0,
    figures: (key: string) => variants.get(key) ?? unknownFigures,
    options: (menu: Menu): Options => optionsOf(device, menu),
    ...rest,
  };
  return { likeness: likenessOf(device, variants), ...device };
}

export function aFleet(devices: readonly DeviceSnapshot[], acceleratorsBusy = 0): FleetSnapshot {
  const byId = new Map(devices.map((device) => [device.id, device]));
  return { size: devices.length, acceleratorsBusy, device: (id) => byId.get(id), all: () => devices };
}

export function someWork(change: Partial<Work> = {}): Work {
  return {
    choices: [aChoice('m', aVariant(), 0.3), aChoice('m', aVariant({ name: 'float32', precision: 'float32' }), 0.3)],
    inputBytes: 0,
    labels: {},
    tried: new Set(),
    declined: new Map(),
    ...change,
  };
}
