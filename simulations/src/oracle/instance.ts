import {
  type Choice,
  defaultCoordinatorConfig,
  defaultCostWeights,
  type FleetDevice,
  type FleetSnapshot,
  type PlacementContext,
  placementLimitsOf,
  Registry,
  strategyNamed,
  type Work,
} from '@shoal/coordinator';
import { type Random, seededRandom, silentLogger } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { choicesFor, deviceRecord, silence } from '../coarse/index.ts';
import { type DeviceClassName, type DeviceGroup, deviceClasses, links } from '../fleet/index.ts';

/** Pieces of work that are there at once, and the fleet that they come to. */
export interface Instance {
  readonly fleet: FleetSnapshot;
  /** The devices of the fleet: real ones, that take and drop work. */
  readonly devices: readonly FleetDevice[];
  /** In the order in which they arrived. */
  readonly works: readonly Work[];
  readonly context: PlacementContext;
}

export interface InstanceSize {
  readonly devices: number;
  readonly works: number;
}

/** As many as the solver takes within a second or so. */
const largest: InstanceSize = { devices: 6, works: 8 };

/** Until the deadline, ms: none, loose, tight, and some that only the quickest devices meet. */
const deadlinesMs = [undefined, 3_000, 1_000, 700, 300, 150, 60] as const;
const losses = [0.02, 0.05, 0.2] as const;
const objectGroups = ['few', 'some', 'many'] as const;
const classNames = Object.keys(deviceClasses) as DeviceClassName[];
const linkNames = Object.keys(links) as (keyof typeof links)[];
const noonMs = 12 * 3_600_000;

/** The same seed gives the same instance. */
export function drawInstance(seed: number, most: InstanceSize = largest): Instance {
  const random = seededRandom(seed);
  const registry = new Registry(
    // Nobody joins: all are on record.
    {
      clock: new VirtualClock({ startMs: noonMs }),
      random,
      logger: silentLogger,
      store: { commit: async () => {}, defer: () => {} },
      tokens: undefined as never,
    },
    { telemetryIntervalMs: 10_000, livenessTimeoutMs: 30_000, deviceLimit: 100 },
  );
  const kinds = drawKinds(random);
  const groups = Array.from({ length: 1 + below(most.devices, random) }, () => drawGroup(pick(kinds, random), random));
  const records = groups.map((group, number) => deviceRecord(group, number, random));
  registry.load(records);
  const devices = records.map(({ id }) => registry.sender(id));
  const busy = random.next();
  for (const [n, device] of devices.entries()) bringToLife(registry, device, groups[n] as DeviceGroup, busy, random);
  const context: PlacementContext = {
    nowMs: 0,
    wallMs: noonMs,
    random,
    limits: placementLimitsOf(defaultCoordinatorConfig),
    strategy: strategyNamed('cost'),
    weights: defaultCostWeights,
  };
  return { fleet: registry.fleet, devices, works: drawWorks(1 + below(most.works, random), random), context };
}

/** A fleet has a few kinds of devices: often several of one. */
function drawKinds(random: Random): readonly DeviceClassName[] {
  return Array.from({ length: 1 + below(4, random) }, () => pick(classNames, random));
}

function drawGroup(name: DeviceClassName, random: Random): DeviceGroup {
  const { batteryWh } = deviceClasses[name];
  const group = { class: name, count: 1, labels: {}, link: links[pick(linkNames, random)] };
  if (batteryWh === undefined || random.next() < 0.5) return group;
  // Some so small, and so near their floors, that what the work draws is what decides.
  const [wattHours, levelPct] =
    random.next() < 0.3 ? [0.02, 31 + 2 * random.next()] : [batteryWh, 30 + 70 * random.next()];
  const charging = random.next() < 0.3 ? [{ fromMinute: 600, toMinute: 900, watts: 10 * random.next() }] : [];
  return { ...group, battery: { wattHours, levelPct, spreadPct: 0, floorPct: 30, charging } };
}

/** It says how it is, and may have work in hand. */
function bringToLife(
  registry: Registry,
  device: FleetDevice,
  { battery, link }: DeviceGroup,
  busy: number,
  random: Random,
): void {
  const { profiles } = device.record;
  const inMemory = random.next() < 0.2 ? 0.3 : 1;
  device.bytesPerMs = link.bytesPerMs;
  registry.heard(device);
  registry.telemetry(device, {
    ...silence,
    batteryPct: battery?.levelPct ?? null,
    charging: battery ? false : null,
    loadedModels: profiles.filter(() => random.next() < inMemory).map(({ model, variant }) => `${model}/${variant}`),
  });
  while (random.next() < busy / 2) {
    const { p50Ms, energyMj } = pick(profiles, random);
    device.take({ time: { meanMs: p50Ms, varianceMs2: 0 }, energyJ: (energyMj ?? 0) / 1_000 });
  }
}

/** A burst of one sort, or several sorts mixed. */
function drawWorks(count: number, random: Random): readonly Work[] {
  const sorts = Array.from({ length: 1 + below(3, random) }, () => drawSort(random));
  return Array.from({ length: count }, () => pick(sorts, random));
}

function drawSort(random: Random): Work {
  const timeLeftMs = pick(deadlinesMs, random);
  const choices: readonly Choice[] = choicesFor(pick(objectGroups, random), pick(losses, random));
  return {
    choices,
    inputBytes: 20_000 + below(180_000, random),
    labels: {},
    ...(timeLeftMs !== undefined && { timeLeftMs }),
    ...(random.next() < 0.1 && { critical: true }),
    tried: new Set(),
    declined: new Map(),
  };
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[below(items.length, random)] as Item;
}

/** A whole number from 0. */
function below(limit: number, random: Random): number {
  return Math.floor(random.next() * limit);
}
