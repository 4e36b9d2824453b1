import {
  aChoice,
  type Choice,
  type CostWeights,
  type DeviceRecord,
  defaultCostWeights,
  type FleetDevice,
  type PlacementPolicy,
  place,
  Registry,
  strategyNamed,
  type Warmth,
  type Work,
} from '@shoal/coordinator';
import { catalogueManifests, type ModelVariant } from '@shoal/models/manifest';
import { type Clock, peerIdOf, type Random, seededRandom, silentLogger, type Telemetry } from '@shoal/protocol';
import {
  accuracyByObjects,
  type DeviceClass,
  type DeviceGroup,
  deviceClasses,
  type Fleet,
  floatGain,
  type ModelName,
  modelFactors,
  type ObjectGroup,
  type Workload,
} from '../fleet/index.ts';
import { CoarseDevice, p95OverP50, usualMs } from './coarse-device.ts';
import { EventQueue } from './event-queue.ts';
import { Tally } from './tally.ts';

export interface CoarseOptions {
  readonly fleet: Fleet;
  readonly seed: number;
  readonly strategy: string;
  readonly weights?: CostWeights;
  /** Time of the day at which it begins, ms since midnight. */
  readonly startMs?: number;
}

/** Devices report so often, ms. */
const telemetryMs = 10_000;
/** Waiting work that is looked at when something became free; the others behind it wait for the same. */
const lookedAt = 4;
/** What waits is looked at again at least so often, ms. */
const lookAgainMs = 250;

/** One piece of work, from its arrival to its end. */
interface Task {
  readonly workload: Workload;
  readonly group: ObjectGroup;
  readonly arrivedMs: number;
  readonly dueMs: number | undefined;
  readonly choices: readonly Choice[];
}

/**
 * A fleet in which each device is a state machine instead of a whole agent: for very many devices and long times. What decides is the same code as in
 * production: the registry, what it learns, and placement.
 */
export class CoarseWorld {
  readonly tally = new Tally();
  readonly devices: readonly CoarseDevice[];
  readonly registry: Registry;
  readonly #events = new EventQueue();
  readonly #random: Random;
  readonly #policy: PlacementPolicy;
  readonly #startMs: number;
  readonly #byId = new Map<string, CoarseDevice>();
  #waiting: Task[] = [];
  #lookPlanned = false;

  constructor({ fleet, seed, strategy, weights = defaultCostWeights, startMs = 0 }: CoarseOptions) {
    this.#random = seededRandom(seed);
    this.#startMs = startMs;
    this.#policy = {
      limits: { batteryFloorPct: 30, criticalFloorPct: 15, batteryMarginPct: 1, attemptsPerDevice: 512 },
      strategy: strategyNamed(strategy),
      weights,
    };
    const clock = this.#clock();
    const store = { commit: async () => {}, defer: () => {} };
    // Nobody joins here: they are all on record.
    const tokens = undefined as never;
    this.registry = new Registry(
      { clock, random: this.#random, logger: silentLogger, store, tokens },
      { telemetryIntervalMs: telemetryMs, livenessTimeoutMs: 3 * telemetryMs, deviceLimit: 1_000_000 },
    );
    const groups = fleet.devices.flatMap((group) => Array.from({ length: group.count }, () => group));
    const records = groups.map((group, number) => this.#record(group, number));
    this.registry.load(records);
    this.devices = groups.map((group, number) => {
      const known = this.registry.device(records[number]?.id ?? '') as FleetDevice;
      return new CoarseDevice(known, group, deviceClasses[group.class], this.#random, startMs);
    });
    for (const device of this.devices) {
      this.#byId.set(device.known.id, device);
      device.known.bytesPerMs = device.group.link.bytesPerMs;
      this.registry.heard(device.known);
      this.#report(device);
    }
    for (const workload of fleet.workloads) this.#start(workload);
  }

  get nowMs(): number {
    return this.#events.nowMs;
  }

  /** Work that waits for a device. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    this.#events.run(this.#events.nowMs + ms);
    for (const device of this.devices) device.settle(this.#wallMs());
  }

  #wallMs(): number {
    return this.#startMs + this.#events.nowMs;
  }

  #clock(): Clock {
    const events = this.#events;
    return {
      nowMs: () => this.#wallMs(),
      monotonicMs: () => events.nowMs,
      after(_name, delayMs, callback) {
        let cancelled = false;
        events.after(delayMs, () => {
          if (!cancelled) callback();
        });
        return () => {
          cancelled = true;
        };
      },
      soon: (_name, callback) => events.after(0, callback),
    };
  }

  #record(group: DeviceGroup, number: number): DeviceRecord {
    const kind: DeviceClass = deviceClasses[group.class];
    const publicKey = this.#random.bytes(32);
    const { battery } = group;
    return {
      id: peerIdOf('device', publicKey),
      publicKey,
      name: `${group.class}-${number}`,
      labels: group.labels,
      joinedAtMs: 0,
      tokenId: '',
      draining: false,
      revoked: false,
      capability: {
        hostName: `${group.class}-${number}`,
        software: 'shoal-sim',
        platform: 'linux',
        arch: 'arm64',
        board: kind.title,
        cpuModel: '',
        cores: kind.cores,
        cpuFeatures: [],
        memoryBytes: kind.memoryBytes,
        diskFreeBytes: 1e10,
        accelerators: [],
        powerSource: battery ? 'battery' : 'mains',
        hasBattery: battery !== undefined,
        runtimes: [kind.runtime],
        decoders: ['h264'],
        taskSlots: kind.slots,
        container: false,
        phone: false,
        batteryWh: battery?.wattHours ?? null,
        idleWatts: kind.idleWatts,
      },
      profiles: variants
        .filter(({ variant }) => variant.precision === 'int8' || kind.floatFactor !== undefined)
        .map(({ model, variant }) => {
          const p50Ms = usualMs(kind, model, variant.name as 'int8');
          return {
            model,
            variant: variant.name,
            sha256: new Uint8Array(32),
            engine: kind.runtime,
            p50Ms,
            p95Ms: p50Ms * p95OverP50,
            loadMs: kind.loadMs,
            memoryBytes: 1e8,
            energyMj: (kind.busyWatts / kind.slots) * p50Ms,
            samples: 20,
            confidence: 1,
            measuredAtMs: 0,
          };
        }),
      ...(battery && { power: { floorPct: battery.floorPct, charging: battery.charging } }),
    };
  }

  /** What an agent says every few seconds. */
  #report(device: CoarseDevice): void {
    const first = this.#events.nowMs === 0;
    this.#tell(device);
    // Not all in the same moment.
    this.#events.after(first ? this.#random.next() * telemetryMs : telemetryMs, () => this.#report(device));
  }

  #tell(device: CoarseDevice): void {
    device.settle(this.#wallMs());
    const { levelPct } = device;
    this.registry.heard(device.known);
    this.registry.telemetry(device.known, {
      ...silence,
      running: device.running,
      queued: device.queued,
      batteryPct: levelPct ?? null,
      charging: levelPct === undefined ? null : device.isCharging(this.#wallMs()),
      loadedModels: device.loaded,
    });
  }

  #start(workload: Workload): void {
    const { perSecond, burst } = workload;
    const next = () => {
      this.#arrive(workload);
      this.#events.after((-Math.log(1 - this.#random.next()) * 1_000) / perSecond, next);
    };
    if (perSecond > 0) this.#events.after((-Math.log(1 - this.#random.next()) * 1_000) / perSecond, next);
    if (!burst) return;
    const storm = () => {
      for (let i = 0; i < burst.count; i++) this.#arrive(workload);
      this.#events.after(burst.everyMs * (0.5 + this.#random.next()), storm);
    };
    this.#events.after(burst.everyMs * this.#random.next(), storm);
  }

  #arrive(workload: Workload): void {
    const group = this.#draw(workload.objects);
    const nowMs = this.#events.nowMs;
    const task: Task = {
      workload,
      group,
      arrivedMs: nowMs,
      dueMs: workload.deadlineMs === undefined ? undefined : nowMs + workload.deadlineMs,
      choices: choicesFor(group, workload.accuracyLoss),
    };
    this.tally.submitted += 1;
    if (this.#waiting.length > 0 || !this.#tryPlace(task)) this.#wait(task);
  }

  #draw(shares: Workload['objects']): ObjectGroup {
    let left = this.#random.next();
    for (const group of groups) {
      left -= shares[group];
      if (left < 0) return group;
    }
    return 'many';
  }

  #wait(task: Task): void {
    this.#waiting.push(task);
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#lookPlanned || this.#waiting.length === 0) return;
    this.#lookPlanned = true;
    this.#events.after(lookAgainMs, () => {
      this.#lookPlanned = false;
      this.#look();
    });
  }

  /** What waits is tried in the order in which it came. */
  #look(): void {
    const nowMs = this.#events.nowMs;
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs === undefined || dueMs > nowMs);
    this.tally.expired += before - this.#waiting.length;
    for (;;) {
      const placed = this.#waiting.slice(0, lookedAt).find((task) => this.#tryPlace(task));
      if (!placed) break;
      this.#waiting.splice(this.#waiting.indexOf(placed), 1);
    }
    this.#lookLater();
  }

  #tryPlace(task: Task): boolean {
    const nowMs = this.#events.nowMs;
    const { workload, dueMs, choices } = task;
    const work: Work = {
      choices,
      inputBytes: workload.inputBytes,
      labels: noLabels,
      ...(dueMs !== undefined && { timeLeftMs: dueMs - nowMs }),
      ...(workload.critical && { critical: true }),
      affinity: workload.name,
      tried: noDevices,
      declined: noReasons,
    };
    this.tally.placements += 1;
    const plan = place(this.registry.fleet, work, {
      nowMs,
      wallMs: this.#wallMs(),
      random: this.#random,
      ...this.#policy,
    });
    if (plan.kind === 'unplaced') return false;
    if (plan.warm) this.#warm(plan.warm);
    const { chosen } = plan.placement;
    const device = this.#byId.get(chosen.device);
    if (!device) return false;
    this.#begin(task, device, chosen as Required<typeof chosen>);
    return true;
  }

  #warm({ device: id, model, variant }: Warmth): void {
    const device = this.#byId.get(id);
    device?.warm(model, variant, (ms, act) =>
      this.#events.after(ms, () => {
        act();
        this.tally.energyJ += ((device.kind.busyWatts / device.kind.slots) * ms) / 1_000;
        this.#tell(device);
      }),
    );
  }

  #begin(
    task: Task,
    device: CoarseDevice,
    chosen: { model: string; variant: string; accuracy: number; loadMs: number; inferenceMs: number; energyJ: number },
  ): void {
    const { known, group, kind } = device;
    const share = {
      time: { meanMs: chosen.loadMs + chosen.inferenceMs, varianceMs2: 0 },
      energyJ: chosen.energyJ,
    };
    known.take(share);
    const transferMs = group.link.rttMs / 2 + task.workload.inputBytes / group.link.bytesPerMs;
    const events = this.#events;
    const job = {
      model: chosen.model as ModelName,
      variant: chosen.variant as 'int8',
      onDone: (took: { queuedMs: number; inferenceMs: number; loadMs: number }) => {
        const nowMs = events.nowMs;
        known.drop(share);
        const timings = { ...took, transferMs, decodeMs: 0, totalMs: nowMs - task.arrivedMs };
        known.learn(chosen.model, chosen.variant, timings, task.workload.inputBytes, nowMs);
        this.tally.done({
          latencyMs: nowMs + group.link.rttMs / 2 - task.arrivedMs,
          late: task.dueMs !== undefined && nowMs > task.dueMs,
          accuracy: chosen.accuracy,
          energyJ: ((kind.busyWatts / kind.slots) * (took.inferenceMs + took.loadMs)) / 1_000,
        });
        if (this.#waiting.length > 0) this.#look();
      },
    };
    events.after(transferMs, () =>
      device.give(
        job,
        this.#wallMs(),
        (ms, act) => events.after(ms, act),
        () => this.#wallMs(),
      ),
    );
  }
}

const groups = ['few', 'some', 'many'] as const;
const noLabels = {};
const noDevices: ReadonlySet<string> = new Set();
const noReasons: ReadonlyMap<string, string> = new Map();
const silence: Telemetry = {
  batteryPct: null,
  charging: null,
  temperatureC: null,
  throttled: null,
  cpuLoad: 0,
  memoryAvailableBytes: 1e9,
  running: 0,
  queued: 0,
  outbox: 0,
  cameras: [],
  loadedModels: [],
};

const variants: readonly { readonly model: ModelName; readonly variant: ModelVariant }[] = catalogueManifests
  .filter(({ name }) => name in modelFactors)
  .flatMap(({ name, variants }) => variants.map((variant) => ({ model: name as ModelName, variant })));

/** What may be run for pictures with so many objects. */
const choicesFor = (() => {
  const made = new Map<string, readonly Choice[]>();
  return (group: ObjectGroup, accuracyLoss: number): readonly Choice[] => {
    const key = `${group} ${accuracyLoss}`;
    let choices = made.get(key);
    if (!choices) {
      const all = variants.map(({ model, variant }) =>
        aChoice(model, variant, accuracyByObjects[group][model] + (variant.precision === 'float32' ? floatGain : 0)),
      );
      const best = Math.max(...all.map(({ accuracy }) => accuracy));
      choices = all.filter(({ accuracy }) => accuracy >= best - accuracyLoss);
      made.set(key, choices);
    }
    return choices;
  };
})();
