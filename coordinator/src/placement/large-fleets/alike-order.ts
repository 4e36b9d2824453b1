import type { Random } from '@shoal/protocol';
import type { DeviceSnapshot, FleetSearch } from '../snapshot.ts';
import { type Alike, steps, takesNothing, typicalWaitMs } from './alike.ts';

/** A group is worth a look when it typically costs this part of the least so far: to gain two hundredths is not worth the time. */
const worthALook = 0.98;

/**
 * The groups of a fleet in the order in which they are worth a look for one sort of work: by what it typically costs there. A search goes down the order
 * until all that is left costs more than what it has.
 */
export class AlikeOrder {
  /** In lists side by side, for a search goes through many of them: the groups, and what the work costs there when a slot is free. */
  readonly #groups: Alike[] = [];
  readonly #idle: number[] = [];
  /** What it costs by how long they make it wait; found out when it is asked for. */
  readonly #atStep: (Float64Array | undefined)[] = [];
  /** Groups of the list that are taken in. */
  #taken = 0;

  get size(): number {
    return this.#groups.length;
  }

  /** Takes in the groups that are new at the end of the list. */
  take(groups: readonly Alike[], search: FleetSearch): void {
    if (this.#taken === groups.length) return;
    const news: { readonly group: Alike; readonly idle: number }[] = [];
    for (; this.#taken < groups.length; this.#taken++) {
      const group = groups[this.#taken] as Alike;
      const device = group.any();
      const idle = device ? search.typicalCost(device, 0) : Number.POSITIVE_INFINITY;
      // Where nobody is left, nobody will come; where it cannot be done, it never can.
      if (idle < Number.POSITIVE_INFINITY) news.push({ group, idle });
    }
    // In order, so that the first ones of all are each put at the end.
    for (const { group, idle } of news.sort((a, b) => a.idle - b.idle)) this.#insert(group, idle);
  }

  /** Shows the search devices, so many of each group, until it has looked at enough and nothing that is left is of interest. */
  walk(search: FleetSearch, random: Random, ofEach: number, enough: number): void {
    const look = (device: DeviceSnapshot) => search.look(device);
    const [idle, groups] = [this.#idle, this.#groups];
    let left = enough;
    let limit = Number.POSITIVE_INFINITY;
    for (let at = 0; at < idle.length; at++) {
      if ((idle[at] as number) >= limit) return;
      const group = groups[at] as Alike;
      const step = group.least;
      if (step === takesNothing || (step > 0 && this.#costAt(at, step, search) >= limit)) continue;
      left -= group.some(step, ofEach, random, look);
      if (left <= 0) limit = search.least * worthALook;
    }
  }

  /** Where the least busy of a group stand at a step where they make work wait. */
  #costAt(at: number, step: number, search: FleetSearch): number {
    let costs = this.#atStep[at];
    if (!costs) {
      costs = new Float64Array(steps);
      this.#atStep[at] = costs;
    }
    const known = costs[step];
    if (known) return known;
    const [device] = (this.#groups[at] as Alike).at(step);
    const cost = device ? search.typicalCost(device, typicalWaitMs(step)) : (this.#idle[at] as number);
    costs[step] = cost;
    return cost;
  }

  #insert(group: Alike, idle: number): void {
    const at = this.#placeOf(idle);
    this.#groups.splice(at, 0, group);
    this.#idle.splice(at, 0, idle);
    this.#atStep.splice(at, 0, undefined);
  }

  /** Behind those that cost as much. */
  #placeOf(idle: number): number {
    let [from, to] = [0, this.#idle.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#idle[middle] as number) <= idle) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
