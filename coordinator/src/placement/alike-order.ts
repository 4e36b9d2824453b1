import type { Random } from '@shoal/protocol';
import { type Alike, leastWaitMs, steps } from './alike.ts';
import type { DeviceSnapshot, FleetSearch } from './snapshot.ts';

/** What one sort of work costs at least on the devices of a group: by how long they make it wait, found out when it is asked for. */
class Bounds {
  readonly group: Alike;
  readonly idle: number;
  readonly #byStep = new Float64Array(steps).fill(Number.NaN);

  constructor(group: Alike, idle: number) {
    this.group = group;
    this.idle = idle;
  }

  at(step: number, search: FleetSearch): number {
    if (step === 0) return this.idle;
    const known = this.#byStep[step] ?? Number.NaN;
    if (!Number.isNaN(known)) return known;
    const [device] = this.group.at(step);
    const bound = device ? search.boundOn(device, leastWaitMs(step)) : this.idle;
    this.#byStep[step] = bound;
    return bound;
  }
}

/**
 * The groups of a fleet in the order in which they are worth a look for one sort of work: by what it costs there at least. A search goes down the order
 * until all that is left costs more than what it has.
 */
export class AlikeOrder {
  readonly #bounds: Bounds[] = [];
  /** Groups of the list that are taken in. */
  #taken = 0;

  get size(): number {
    return this.#bounds.length;
  }

  /** Takes in the groups that are new at the end of the list. */
  take(groups: readonly Alike[], search: FleetSearch): void {
    const isFirst = this.#taken === 0;
    for (; this.#taken < groups.length; this.#taken++) {
      const group = groups[this.#taken] as Alike;
      const device = group.any();
      // Nobody is left in it, and nobody will come.
      if (!device) continue;
      const bounds = new Bounds(group, search.boundOn(device, 0));
      if (isFirst) this.#bounds.push(bounds);
      else this.#bounds.splice(this.#placeOf(bounds.idle), 0, bounds);
    }
    if (isFirst) this.#bounds.sort((a, b) => a.idle - b.idle);
  }

  /** Shows the search devices, so many of each group, until no other is of interest and it has looked at enough. */
  walk(search: FleetSearch, random: Random, ofEach: number, enough: number): void {
    const look = (device: DeviceSnapshot) => search.look(device);
    let looked = 0;
    for (const bounds of this.#bounds) {
      if (bounds.idle >= search.least && looked >= enough) return;
      const { group } = bounds;
      const step = group.leastStep;
      if (step === undefined || bounds.idle === Number.POSITIVE_INFINITY) continue;
      if (looked >= enough && bounds.at(step, search) >= search.least) continue;
      looked += group.some(step, ofEach, random, look);
    }
  }

  #placeOf(idle: number): number {
    let [from, to] = [0, this.#bounds.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#bounds[middle] as Bounds).idle < idle) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
