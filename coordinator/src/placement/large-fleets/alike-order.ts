import type { Random } from '@shoal/protocol';
import type { DeviceSnapshot, FleetSearch } from '../snapshot.ts';
import { type Alike, steps, takesNothing, typicalWaitMs } from './alike.ts';

/** A group is worth a look when it typically costs this part of the least so far: to gain two hundredths is not worth the time. */
const worthALook = 0.98;

/** What one sort of work typically costs on the devices of a group. */
class Costs {
  readonly group: Alike;
  /** When a slot is free. */
  readonly idle: number;
  /** By how long they make it wait; found out when it is asked for. */
  readonly #atStep = new Float64Array(steps);

  constructor(group: Alike, idle: number) {
    this.group = group;
    this.idle = idle;
  }

  /** Where the least busy of them stand. */
  now(search: FleetSearch): number {
    const step = this.group.least;
    if (step === 0) return this.idle;
    const known = this.#atStep[step];
    if (known) return known;
    const [device] = this.group.at(step);
    const cost = device ? search.typicalCost(device, typicalWaitMs(step)) : this.idle;
    this.#atStep[step] = cost;
    return cost;
  }
}

/**
 * The groups of a fleet in the order in which they are worth a look for one sort of work: by what it typically costs there. A search goes down the order
 * until all that is left costs more than what it has.
 */
export class AlikeOrder {
  readonly #order: Costs[] = [];
  /** Groups of the list that are taken in. */
  #taken = 0;

  get size(): number {
    return this.#order.length;
  }

  /** Takes in the groups that are new at the end of the list. */
  take(groups: readonly Alike[], search: FleetSearch): void {
    if (this.#taken === groups.length) return;
    const isFirst = this.#taken === 0;
    for (; this.#taken < groups.length; this.#taken++) {
      const group = groups[this.#taken] as Alike;
      const device = group.any();
      const idle = device ? search.typicalCost(device, 0) : Number.POSITIVE_INFINITY;
      // Where nobody is left, nobody will come; where it cannot be done, it never can.
      if (idle === Number.POSITIVE_INFINITY) continue;
      if (isFirst) this.#order.push(new Costs(group, idle));
      else this.#order.splice(this.#placeOf(idle), 0, new Costs(group, idle));
    }
    if (isFirst) this.#order.sort((a, b) => a.idle - b.idle);
  }

  /** Shows the search devices, so many of each group, until it has looked at enough and nothing that is left is of interest. */
  walk(search: FleetSearch, random: Random, ofEach: number, enough: number): void {
    const look = (device: DeviceSnapshot) => search.look(device);
    let left = enough;
    let limit = Number.POSITIVE_INFINITY;
    for (const costs of this.#order) {
      if (costs.idle >= limit) return;
      const { group } = costs;
      if (group.least === takesNothing || costs.now(search) >= limit) continue;
      left -= group.some(group.least, ofEach, random, look);
      if (left <= 0) limit = search.least * worthALook;
    }
  }

  #placeOf(idle: number): number {
    let [from, to] = [0, this.#order.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#order[middle] as Costs).idle < idle) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
