import type { PeerId, Random } from '@shoal/protocol';
import type { DeviceSnapshot, FleetSnapshot, Work } from './snapshot.ts';

export interface FleetIndexOptions {
  /** A fleet of at most so many devices is looked at as a whole. */
  readonly exactBelow: number;
  /** Of each kind of device, the least busy ones that are looked at. */
  readonly leastBusy: number;
  /** Devices that are looked at besides, drawn from all. */
  readonly drawn: number;
}

const defaultOptions: FleetIndexOptions = { exactBelow: 64, leastBusy: 2, drawn: 4 };

/** What makes a device promising changes with every attempt: so finely, ms of waiting. */
const waitStepsMs = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, Number.POSITIVE_INFINITY];
/** Batteries are told apart so finely, percent. */
const batteryStepPct = 10;

/**
 * The fleet in an order that makes the promising devices of a large one quick to find. Devices of one kind, in the same state of power, are alike but for how busy
 * they are: of those only the least busy matter. So each such group keeps its devices by how long work would wait there, and a placement looks at a few of
 * each group instead of all.
 */
export class FleetIndex<Device extends DeviceSnapshot = DeviceSnapshot> implements FleetSnapshot {
  readonly #random: Random;
  readonly #options: FleetIndexOptions;
  readonly #devices = new Map<PeerId, Device>();
  readonly #places = new Map<DeviceSnapshot, Place>();
  readonly #groups = new Map<string, Group>();
  readonly #list: Device[] = [];
  readonly #accelerators = { slots: 0, running: 0 };

  constructor(random: Random, options: Partial<FleetIndexOptions> = {}) {
    this.#random = random;
    this.#options = { ...defaultOptions, ...options };
  }

  get size(): number {
    return this.#devices.size;
  }

  get acceleratorsBusy(): number {
    const { slots, running } = this.#accelerators;
    return slots === 0 ? 0 : Math.min(1, running / slots);
  }

  device(id: PeerId): Device | undefined {
    return this.#devices.get(id);
  }

  all(): readonly Device[] {
    return this.#list;
  }

  promising({ device, labels }: Work): Iterable<DeviceSnapshot> | undefined {
    const { exactBelow, leastBusy, drawn } = this.#options;
    // What asks for one device, or for labels, is about few of them; a draw would miss them.
    if (this.#list.length <= exactBelow || device !== undefined || hasAny(labels)) return undefined;
    const chosen: DeviceSnapshot[] = [];
    for (const group of this.#groups.values()) group.leastBusy(leastBusy, this.#random, chosen);
    for (let i = 0; i < drawn; i++) {
      const other = this.#list[Math.floor(this.#random.next() * this.#list.length)];
      if (other && !chosen.includes(other)) chosen.push(other);
    }
    return chosen;
  }

  /** A device joined, or changed in something that placement looks at. */
  put(device: Device): void {
    let place = this.#places.get(device);
    if (!place) {
      place = { at: this.#list.push(device) - 1, group: undefined, step: 0, index: 0, slots: 0, running: 0 };
      this.#places.set(device, place);
      this.#devices.set(device.id, device);
    }
    this.#count(place, device.accelerated ? device : noWork);
    const name = groupOf(device);
    const step = stepOf(device);
    if (place.group?.name === name && place.step === step) return;
    place.group?.remove(place);
    let group = this.#groups.get(name);
    if (!group) {
      group = new Group(name);
      this.#groups.set(name, group);
    }
    place.step = step;
    group.add(device, place);
  }

  remove(device: Device): void {
    const place = this.#places.get(device);
    if (!place) return;
    this.#count(place, noWork);
    place.group?.remove(place);
    this.#places.delete(device);
    this.#devices.delete(device.id);
    const last = this.#list.pop();
    if (last === undefined || last === device) return;
    this.#list[place.at] = last;
    const moved = this.#places.get(last);
    if (moved) moved.at = place.at;
  }

  #count(place: Place, { slots, running }: { readonly slots: number; readonly running: number }): void {
    this.#accelerators.slots += slots - place.slots;
    this.#accelerators.running += running - place.running;
    place.slots = slots;
    place.running = running;
  }
}

const noWork = { slots: 0, running: 0 };

/** Where a device stands. */
interface Place {
  /** In the list of all. */
  at: number;
  group: Group | undefined;
  step: number;
  /** In its step of the group. */
  index: number;
  /** As they were counted. */
  slots: number;
  running: number;
}

/** Devices that are alike, by how long work would wait there. */
class Group {
  readonly name: string;
  readonly #steps: { readonly devices: DeviceSnapshot[]; readonly places: Place[] }[];

  constructor(name: string) {
    this.name = name;
    this.#steps = waitStepsMs.map(() => ({ devices: [], places: [] }));
  }

  add(device: DeviceSnapshot, place: Place): void {
    const step = this.#steps[place.step];
    if (!step) return;
    place.group = this;
    place.index = step.devices.push(device) - 1;
    step.places.push(place);
  }

  remove(place: Place): void {
    const step = this.#steps[place.step];
    const [device, last] = [step?.devices.pop(), step?.places.pop()];
    place.group = undefined;
    if (!step || !device || !last || last === place) return;
    step.devices[place.index] = device;
    step.places[place.index] = last;
    last.index = place.index;
  }

  /** Some of the least busy, so that not everybody takes the same one. */
  leastBusy(count: number, random: Random, into: DeviceSnapshot[]): void {
    let left = count;
    for (const { devices } of this.#steps) {
      const taken = Math.min(left, devices.length);
      const from = devices.length > taken ? Math.floor(random.next() * devices.length) : 0;
      for (let i = 0; i < taken; i++) into.push(devices[(from + i) % devices.length] as DeviceSnapshot);
      left -= taken;
      if (left === 0) return;
    }
  }
}

function stepOf({ running, slots, backlog, cameraLoad, presence, draining, pause }: DeviceSnapshot): number {
  const last = waitStepsMs.length - 1;
  // What cannot take anything stands at the end.
  if (presence !== 'online' || draining || pause) return last;
  const waitMs = running < slots ? 0 : backlog.meanMs / slots;
  const busyMs = waitMs + cameraLoad * 10;
  const step = waitStepsMs.findIndex((atMost) => busyMs <= atMost);
  return step < 0 ? last : step;
}

function groupOf({ kind, power }: DeviceSnapshot): string {
  const { onBattery, levelPct, policy } = power;
  if (!onBattery) return `${kind} ${levelPct === undefined ? 'mains' : 'charging'}`;
  const level = levelPct === undefined ? '?' : Math.floor(levelPct / batteryStepPct);
  return `${kind} battery ${level} ${policy.mainsOnly === true}`;
}

function hasAny(labels: Work['labels']): boolean {
  for (const _ in labels) return true;
  return false;
}
