import {
  assignTogether,
  type CostWeights,
  defaultCoordinatorConfig,
  defaultCostWeights,
  type FleetDevice,
  gatherMs,
  mostTogether,
  type PlacementCandidate,
  type PlacementContext,
  type PlacementPolicy,
  place,
  placementLimitsOf,
  Registry,
  shareOf,
  strategyNamed,
  Trials,
  type Warmth,
  type Work,
} from '@shoal/coordinator';
import { type PeerId, type Random, seededRandom, silentLogger } from '@shoal/protocol';
import { deviceClasses, type Fleet, type ModelName } from '../fleet/index.ts';
import { type Arrival, startArrivals } from './arrivals.ts';
import { CoarseDevice } from './coarse-device.ts';
import { deviceRecord } from './device-record.ts';
import { clockOf, EventQueue } from './event-queue.ts';
import { startFailures } from './failures.ts';
import { FleetCameras } from './fleet-cameras.ts';
import { silence } from './silence.ts';
import { Tally } from './tally.ts';

export interface CoarseOptions {
  readonly fleet: Fleet;
  readonly seed: number;
  readonly strategy: string;
  readonly weights?: CostWeights;
  /** Time of the day at which it begins, ms since midnight. */
  readonly startMs?: number;
  /** Devices report so often, ms. */
  readonly telemetryMs?: number;
}

/** As of the product where devices fail or watch cameras: how soon that is found out depends on it. Elsewhere less often, which is quicker to simulate. */
const usualTelemetryMs = 2_000;
const rareTelemetryMs = 10_000;
/** A device that was silent for so many times as long as it reports is given up for lost. */
const livenessFactor = 5;
const ownDice = 0x5ca1ab1e;
/** Devices do not all report in the same moment, but in so many parts. */
const telemetryParts = 100;
/** Waiting work that is looked at when something became free; the others behind it wait for the same. */
const lookedAt = 4;
/** What waits is looked at again at least so often, ms. */
const lookAgainMs = 250;

/**
 * A fleet in which each device is a state machine instead of a whole agent: for very many devices and long times. What decides is the same code as in
 * production: the registry, what it learns, and placement.
 */
export class CoarseWorld {
  readonly tally = new Tally();
  readonly devices: readonly CoarseDevice[];
  readonly registry: Registry;
  /** `undefined`: the fleet has none. */
  readonly cameras: FleetCameras | undefined;
  readonly #events = new EventQueue();
  readonly #random: Random;
  readonly #policy: PlacementPolicy;
  readonly #trials = new Trials();
  readonly #startMs: number;
  readonly #telemetryMs: number;
  readonly #byId = new Map<string, CoarseDevice>();
  #waiting: Arrival[] = [];
  #lookPlanned = false;
  #gathering = false;

  constructor(options: CoarseOptions) {
    const { fleet, seed, strategy, weights = defaultCostWeights, startMs = 0 } = options;
    const fails = fleet.devices.some((group) => group.fails);
    const { telemetryMs = fails || fleet.cameras.length > 0 ? usualTelemetryMs : rareTelemetryMs } = options;
    this.#telemetryMs = telemetryMs;
    const livenessTimeoutMs = livenessFactor * telemetryMs;
    this.#random = seededRandom(seed);
    this.#startMs = startMs;
    this.#policy = {
      limits: placementLimitsOf(defaultCoordinatorConfig),
      strategy: strategyNamed(strategy),
      weights,
    };
    const clock = clockOf(this.#events, () => this.#wallMs());
    const store = { commit: async () => {}, defer: () => {} };
    // Nobody joins here: they are all on record.
    const tokens = undefined as never;
    this.registry = new Registry(
      { clock, random: this.#random, logger: silentLogger, store, tokens },
      { telemetryIntervalMs: telemetryMs, livenessTimeoutMs, deviceLimit: 1_000_000 },
    );
    const groups = fleet.devices.flatMap((group) => Array.from({ length: group.count }, () => group));
    const records = groups.map((group, number) => deviceRecord(group, number, this.#random));
    this.registry.load(records);
    const timeline = {
      wallMs: () => this.#wallMs(),
      after: (delayMs: number, act: () => void) => this.#events.after(delayMs, act),
    };
    this.devices = groups.map((group, number) => {
      const known = this.registry.device(records[number]?.id ?? '') as FleetDevice;
      return new CoarseDevice(known, group, deviceClasses[group.class], this.#random, timeline);
    });
    for (const device of this.devices) {
      this.#byId.set(device.known.id, device);
      device.known.bytesPerMs = device.group.link.bytesPerMs;
      device.known.rttMs = device.group.link.rttMs;
      this.#tell(device);
    }
    // Dice of their own: when a camera comes and a device fails does not depend on what its work rolled.
    const besides = seededRandom((seed ^ ownDice) >>> 0);
    if (fleet.cameras.length > 0) {
      const deps = { events: this.#events, clock, random: besides, registry: this.registry, devices: this.devices };
      this.cameras = new FleetCameras(fleet.cameras, deps, {
        placement: this.#policy,
        assignTimeoutMs: livenessTimeoutMs,
      });
    }
    if (fails) this.#letFail(besides);
    this.#reportInTurn();
    startArrivals(fleet.workloads, this.#events, this.#random, (arrival) => this.#arrive(arrival));
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
    for (const device of this.devices) device.settle();
  }

  #wallMs(): number {
    return this.#startMs + this.#events.nowMs;
  }

  /** One part of the devices after the other says what agents say every few seconds. */
  #reportInTurn(): void {
    let part = 0;
    const next = () => {
      for (let at = part; at < this.devices.length; at += telemetryParts) this.#tell(this.devices[at] as CoarseDevice);
      part = (part + 1) % telemetryParts;
      this.#events.after(this.#telemetryMs / telemetryParts, next);
    };
    next();
  }

  #letFail(random: Random): void {
    // Whoever does not fail is never silent: only here that has to be looked for.
    this.registry.start();
    this.registry.subscribe({
      onAvailable: () => {},
      onGone: ({ id }) => this.#lose(this.#byId.get(id)),
    });
    startFailures(this.devices, this.#events, random, {
      failed: (device) => {
        device.fail();
        this.cameras?.failed(device);
      },
      returned: (device) => {
        device.recover();
        // It says hello, and what it works on: nothing.
        this.registry.heard(device.known);
        this.#lose(device);
        this.cameras?.returned(device);
        this.#tell(device);
      },
    });
  }

  #lose(device: CoarseDevice | undefined): void {
    for (const held of [...(device?.held ?? [])]) held.lose();
  }

  #tell(device: CoarseDevice): void {
    device.settle();
    if (!device.isUp) return;
    const { levelPct } = device;
    this.registry.heard(device.known);
    this.registry.telemetry(device.known, {
      ...silence,
      running: device.running,
      queued: device.queued,
      // Agents know it in whole percents.
      batteryPct: levelPct === undefined ? null : Math.round(levelPct),
      charging: levelPct === undefined ? null : device.isCharging,
      loadedModels: device.loaded,
      ...(this.cameras && { cameras: this.cameras.statusesOf(device) }),
    });
    this.cameras?.heardOf(device);
  }

  #arrive(task: Arrival): void {
    this.tally.submitted += 1;
    if (this.#gathering) this.#waiting.push(task);
    else if (this.#policy.strategy.together && this.#waiting.length === 0) this.#gather(task);
    else if (this.#waiting.length > 0 || !this.#tryPlace(task)) this.#wait(task);
  }

  /** As the dispatcher does with a strategy that decides on several together. */
  #gather(first: Arrival): void {
    this.#waiting.push(first);
    this.#gathering = true;
    this.#events.after(gatherMs, () => {
      this.#gathering = false;
      this.#placeTogether();
      this.#look();
    });
  }

  #placeTogether(): void {
    for (let placed = true; placed && this.#waiting.length > 0; ) {
      const tasks = this.#waiting.slice(0, mostTogether);
      const works = tasks.map((task) => this.#workOf(task));
      const assigned = assignTogether(this.registry.fleet, works, this.#context());
      const gone = new Set<Arrival>();
      for (const { work, device } of assigned) {
        const task = tasks[work] as Arrival;
        if (this.#tryPlace(task, device)) gone.add(task);
      }
      this.#waiting = this.#waiting.filter((task) => !gone.has(task));
      placed = gone.size === tasks.length;
    }
  }

  #wait(task: Arrival): void {
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

  #context(): PlacementContext {
    const { nowMs } = this.#events;
    const mayTry = this.#trials.mayTry(nowMs);
    return { nowMs, wallMs: this.#wallMs(), random: this.#random, mayTry, ...this.#policy };
  }

  #workOf({ workload, dueMs, choices }: Arrival): Work {
    return {
      choices,
      inputBytes: workload.inputBytes,
      labels: noLabels,
      ...(dueMs !== undefined && { timeLeftMs: dueMs - this.#events.nowMs }),
      ...(workload.critical && { critical: true }),
      affinity: workload.name,
      tried: noDevices,
      declined: noReasons,
    };
  }

  #tryPlace(task: Arrival, assigned?: PeerId): boolean {
    this.tally.placements += 1;
    const context = assigned === undefined ? this.#context() : { ...this.#context(), assigned };
    const plan = place(this.registry.fleet, this.#workOf(task), context);
    if (plan.kind === 'unplaced') return false;
    this.#trials.placed(plan.placement, this.#events.nowMs);
    if (plan.warm) this.#warm(plan.warm);
    const { chosen } = plan.placement;
    const device = this.#byId.get(chosen.device);
    if (!device) return false;
    this.#begin(task, device, chosen as Required<typeof chosen>);
    return true;
  }

  #warm({ device: id, model, variant }: Warmth): void {
    const device = this.#byId.get(id);
    device?.warm(model, variant, () => {
      const { busyWatts, slots, loadMs } = device.kind;
      this.tally.energyJ += ((busyWatts / slots) * loadMs) / 1_000;
      this.#tell(device);
    });
  }

  #begin(
    task: Arrival,
    device: CoarseDevice,
    chosen: PlacementCandidate & { model: string; variant: string; accuracy: number },
  ): void {
    const { known, group, kind } = device;
    const share = shareOf(chosen, this.#events.nowMs);
    known.take(share);
    const transferMs = group.link.rttMs / 2 + task.workload.inputBytes / group.link.bytesPerMs;
    const events = this.#events;
    const held = {
      lose: () => {
        if (!device.held.delete(held)) return;
        known.drop(share);
        this.tally.lost += 1;
        if (leftMs() <= 0) this.tally.expired += 1;
        else if (!this.#tryPlace(task)) this.#wait(task);
      },
    };
    device.held.add(held);
    const leftMs = () => (task.dueMs ?? Number.POSITIVE_INFINITY) - events.nowMs;
    const job = {
      model: chosen.model as ModelName,
      variant: chosen.variant as 'int8',
      isOver: () => leftMs() <= 0,
      onLeft: () => {
        device.held.delete(held);
        known.drop(share);
        this.tally.expired += 1;
      },
      onDone: (took: { queuedMs: number; inferenceMs: number; loadMs: number }) => {
        const nowMs = events.nowMs;
        device.held.delete(held);
        known.drop(share);
        const timings = { ...took, transferMs, decodeMs: 0, totalMs: nowMs - task.arrivedMs };
        known.learn(chosen.model, chosen.variant, timings, task.workload.inputBytes, nowMs);
        this.tally.done({
          latencyMs: nowMs + group.link.rttMs / 2 - task.arrivedMs,
          late: task.dueMs !== undefined && nowMs > task.dueMs,
          accuracy: chosen.accuracy,
          energyJ: ((kind.busyWatts / kind.slots) * (took.inferenceMs + took.loadMs)) / 1_000,
        });
        if (this.#waiting.length > 0 && !this.#gathering) this.#look();
      },
    };
    events.after(transferMs, () => {
      // What arrives at a device that is down, or was in between, is lost.
      if (!device.isUp || !device.held.has(held)) return;
      if (device.admits(job, leftMs())) {
        device.give(job);
        return;
      }
      device.held.delete(held);
      known.drop(share);
      events.after(group.link.rttMs / 2, () => this.#refused(task, known));
    });
  }

  #refused(task: Arrival, by: FleetDevice): void {
    by.pauseFor('busy', this.#events.nowMs);
    if (!this.#tryPlace(task)) this.#wait(task);
  }
}

const noLabels = {};
const noDevices: ReadonlySet<string> = new Set();
const noReasons: ReadonlyMap<string, string> = new Map();
