import type { PeerId, Random } from '@shoal/protocol';
import type { DeviceSnapshot, FleetSearch, FleetSnapshot, Work } from '../snapshot.ts';
import { Alike, type Stand, stepOf } from './alike.ts';
import { AlikeOrder } from './alike-order.ts';

export interface FleetIndexOptions {
  /** A fleet of at most so many devices is looked at as a whole. */
  readonly exactBelow: number;
  /** Of each group of devices that are alike, the least busy ones that are looked at. */
  readonly leastBusy: number;
  /** Devices that a search looks at anyway, so that there is something to compare with. */
  readonly atLeast: number;
  /** Groups at which a search looks besides, drawn from all: so it comes across what only lacks a model in memory. */
  readonly drawn: number;
  /** Groups of which a strategy is shown devices that does not go by cost. */
  readonly shown: number;
}

const defaultOptions: FleetIndexOptions = { exactBelow: 64, leastBusy: 1, atLeast: 2, drawn: 1, shown: 64 };

/** Orders that are kept, by how many groups they have in all: what is asked for differently each time must not fill the memory. */
const mostBounds = 200_000;

/**
 * The fleet in an order that makes the best devices of a large one quick to find. Devices of one likeness cost the same but for how busy they are: of
 * those only the least busy matter. And what work typically costs on each group does not change from moment to moment: a search goes through the groups
 * from the cheapest on, and is done when the next one cannot be better than what it has.
 */
export class FleetIndex<Device extends DeviceSnapshot = DeviceSnapshot> implements FleetSnapshot {
  readonly #random: Random;
  readonly #options: FleetIndexOptions;
  readonly #devices = new Map<PeerId, Device>();
  readonly #places = new Map<DeviceSnapshot, Place>();
  readonly #list: Device[] = [];
  readonly #accelerators = { slots: 0, running: 0 };
  readonly #groups = new Map<string, Alike>();
  /** In the order in which they came to be. Some have lost their last device since. */
  #groupList: Alike[] = [];
  readonly #orders = new Map<string, Map<number, AlikeOrder>>();
  #bounds = 0;
  #policy: { readonly limits: object; readonly weights: object } | undefined;

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

  promising(work: Work): Iterable<DeviceSnapshot> | undefined {
    if (this.#isAboutFew(work)) return undefined;
    const { leastBusy, shown } = this.#options;
    const groups = this.#liveGroups();
    const from = Math.floor(this.#random.next() * groups.length);
    const chosen: DeviceSnapshot[] = [];
    const choose = (device: DeviceSnapshot) => chosen.push(device);
    for (let i = 0; i < Math.min(shown, groups.length); i++) {
      const group = groups[(from + i) % groups.length] as Alike;
      group.some(group.least, leastBusy, this.#random, choose);
    }
    return chosen;
  }

  search(search: FleetSearch): boolean {
    // What a camera takes it takes for good: it is worth a look at all.
    if (this.#isAboutFew(search.work) || search.work.stream) return false;
    const { leastBusy, atLeast, drawn } = this.#options;
    const groups = this.#liveGroups();
    this.#orderFor(search, groups).walk(search, this.#random, leastBusy, atLeast);
    for (let i = 0; i < drawn; i++) {
      const group = groups[Math.floor(this.#random.next() * groups.length)];
      if (group) group.some(group.least, 1, this.#random, (device) => search.look(device));
    }
    return true;
  }

  /** A device joined, or changed in something that placement looks at. */
  put(device: Device): void {
    let place = this.#places.get(device);
    if (!place) {
      place = { at: this.#list.push(device) - 1, group: undefined, step: 0, index: 0, slots: 0, running: 0 };
      this.#places.set(device, place);
      this.#devices.set(device.id, device);
    }
    this.#stand(device, place, this.#groupOf(device.likeness));
  }

  /** A device has more or less in hand than before; nothing else of it changed. */
  shift(device: Device): void {
    const place = this.#places.get(device);
    if (place?.group) this.#stand(device, place, place.group);
  }

  remove(device: Device): void {
    const place = this.#places.get(device);
    if (!place) return;
    this.#count(place, noWork);
    this.#leave(place);
    this.#places.delete(device);
    this.#devices.delete(device.id);
    const last = this.#list.pop();
    if (last === undefined || last === device) return;
    this.#list[place.at] = last;
    const moved = this.#places.get(last);
    if (moved) moved.at = place.at;
  }

  #stand(device: Device, place: Place, group: Alike): void {
    this.#count(place, device.accelerated ? device : noWork);
    const step = stepOf(device);
    if (place.group === group && place.step === step) return;
    if (place.group === group) group.remove(place);
    else this.#leave(place);
    group.add(device, place, step);
  }

  #groupOf(likeness: string): Alike {
    let group = this.#groups.get(likeness);
    if (!group) {
      group = new Alike(likeness);
      this.#groups.set(likeness, group);
      this.#groupList.push(group);
    }
    return group;
  }

  #leave(place: Place): void {
    const { group } = place;
    group?.remove(place);
    if (group?.size === 0) this.#groups.delete(group.likeness);
  }

  #liveGroups(): readonly Alike[] {
    if (this.#groupList.length > 2 * this.#groups.size + 64) {
      this.#groupList = [...this.#groups.values()];
      this.#forgetOrders();
    }
    return this.#groupList;
  }

  #orderFor(search: FleetSearch, groups: readonly Alike[]): AlikeOrder {
    const { menu, variety, limits, weights } = search.sort;
    if (this.#policy?.limits !== limits || this.#policy.weights !== weights) {
      this.#policy = { limits, weights };
      this.#forgetOrders();
    }
    const order = this.#orders.get(menu)?.get(variety) ?? this.#newOrder(menu, variety);
    this.#bounds -= order.size;
    order.take(groups, search);
    this.#bounds += order.size;
    return order;
  }

  #newOrder(menu: string, variety: number): AlikeOrder {
    if (this.#bounds > mostBounds) this.#forgetOrders();
    const order = new AlikeOrder();
    const varieties = this.#orders.get(menu) ?? new Map<number, AlikeOrder>();
    this.#orders.set(menu, varieties.set(variety, order));
    return order;
  }

  #forgetOrders(): void {
    this.#orders.clear();
    this.#bounds = 0;
  }

  /** What asks for one device, or for labels, is about few of them: looking at some would miss them. */
  #isAboutFew({ device, labels }: Work): boolean {
    return this.#list.length <= this.#options.exactBelow || device !== undefined || hasAny(labels);
  }

  #count(place: Place, { slots, running }: { readonly slots: number; readonly running: number }): void {
    this.#accelerators.slots += slots - place.slots;
    this.#accelerators.running += running - place.running;
    place.slots = slots;
    place.running = running;
  }
}

const noWork = { slots: 0, running: 0 };

/** Where a device stands: in the list of all, and in its group; and what was counted of it. */
interface Place extends Stand {
  at: number;
  slots: number;
  running: number;
}

function hasAny(labels: Work['labels']): boolean {
  for (const _ in labels) return true;
  return false;
}
