import { type Duration, sum } from '../duration.ts';
import type { Menu } from '../menu.ts';
import { type Options, optionsOf } from '../options.ts';
import type { DeviceSnapshot } from '../snapshot.ts';

/** What work takes of the device that it is given to. */
interface Load {
  readonly running: number;
  readonly time: Duration;
  readonly energyJ: number;
  /** Variants that it will have loaded by then (monotonic ms), by their keys. */
  readonly loading?: ReadonlyMap<string, number>;
}

const noLoads: ReadonlyMap<string, number> = new Map();

/** A device as it will be when it holds more work than it does now. */
export class Laden implements DeviceSnapshot {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly likeness: string;
  readonly presence: DeviceSnapshot['presence'];
  readonly draining: boolean;
  readonly labels: DeviceSnapshot['labels'];
  readonly power: DeviceSnapshot['power'];
  readonly hasEngine: boolean;
  readonly accelerated: boolean;
  readonly freeBytes: number;
  readonly slots: number;
  readonly running: number;
  readonly backlog: Duration;
  readonly committedJ: number;
  readonly placed: number;
  readonly cameraLoad: number;
  readonly cameraWatts: number;
  readonly decode: DeviceSnapshot['decode'];
  readonly heat: DeviceSnapshot['heat'];
  readonly pause: DeviceSnapshot['pause'];
  readonly bytesPerMs: number;
  readonly rttMs: number;
  readonly decodeMs: number;
  readonly #device: DeviceSnapshot;
  readonly #loading: ReadonlyMap<string, number>;

  constructor(device: DeviceSnapshot, { running, time, energyJ, loading = noLoads }: Load) {
    this.#loading = loading;
    this.#device = device;
    this.id = device.id;
    this.name = device.name;
    this.kind = device.kind;
    this.likeness = '';
    this.presence = device.presence;
    this.draining = device.draining;
    this.labels = device.labels;
    this.power = device.power;
    this.hasEngine = device.hasEngine;
    this.accelerated = device.accelerated;
    this.freeBytes = device.freeBytes;
    this.slots = device.slots;
    this.running = device.running + running;
    this.backlog = sum(device.backlog, time);
    this.committedJ = device.committedJ + energyJ;
    this.placed = device.placed + running;
    this.cameraLoad = device.cameraLoad;
    this.cameraWatts = device.cameraWatts;
    this.decode = device.decode;
    this.heat = device.heat;
    this.pause = device.pause;
    this.bytesPerMs = device.bytesPerMs;
    this.rttMs = device.rttMs;
    this.decodeMs = device.decodeMs;
  }

  figures(key: string): ReturnType<DeviceSnapshot['figures']> {
    const figures = this.#device.figures(key);
    const loadingUntilMs = this.#loading.get(key);
    if (loadingUntilMs === undefined) return figures;
    const { run, unproven = false, energyJ, loadMs, memoryBytes, loadedUntilMs } = figures;
    return { run, unproven, energyJ, loadMs, memoryBytes, loadedUntilMs, loadingUntilMs };
  }

  options(menu: Menu): Options {
    return this.#loading.size === 0 ? this.#device.options(menu) : optionsOf(this, menu);
  }
}
