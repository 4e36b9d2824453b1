import type { PeerId } from '@shoal/protocol';
import { appraise } from '../appraise.ts';
import type { Candidate } from '../candidate.ts';
import { exactly, sum } from '../duration.ts';
import type { PlacementContext } from '../policy.ts';
import type { DeviceSnapshot, FleetSnapshot, Work } from '../snapshot.ts';
import { Laden } from './laden.ts';

export interface Assignment {
  /** Its place among the works. */
  readonly work: number;
  readonly device: PeerId;
}

/** What comes of an order of works. */
interface Rehearsed {
  /** Those that were placed, in the order in which they were. */
  readonly assignments: readonly Assignment[];
  readonly cost: number;
}

/** Places works one after the other without anything being given to a device, to learn what they cost in all. */
export class Rehearsal {
  readonly #works: readonly Work[];
  readonly #devices: readonly DeviceSnapshot[];
  readonly #fleet: FleetSnapshot;
  readonly #context: PlacementContext;

  constructor(
    works: readonly Work[],
    devices: readonly DeviceSnapshot[],
    fleet: FleetSnapshot,
    context: PlacementContext,
  ) {
    this.#works = works;
    this.#devices = devices;
    this.#fleet = fleet;
    this.#context = context;
  }

  /** @param seated where a work goes if it can; any other, and one that cannot, goes where it costs least. */
  of(order: readonly number[], seated: ReadonlyMap<number, PeerId>): Rehearsed {
    const held = new Map<PeerId, Held>(
      this.#devices.map((device) => [device.id, { device, laden: device, load: nothing }]),
    );
    const assignments: Assignment[] = [];
    let cost = 0;
    for (const n of order) {
      const work = this.#works[n] as Work;
      const seat = held.get(seated.get(n) ?? '');
      const chosen = (seat && this.#best([seat], work)) ?? this.#best(held.values(), work);
      if (!chosen) continue;
      give(held.get(chosen.device.id) as Held, chosen, this.#context.nowMs);
      assignments.push({ work: n, device: chosen.device.id });
      cost += chosen.cost.total;
    }
    return { assignments, cost };
  }

  #best(held: Iterable<Held>, work: Work): Candidate | undefined {
    let best: Candidate | undefined;
    for (const { laden } of held) {
      const [candidate] = appraise(laden, work, this.#fleet, this.#context);
      if (candidate && (!best || candidate.cost.total < best.cost.total)) best = candidate;
    }
    return best;
  }
}

/** The one that places more; of as many, the one that costs less. */
export function better(a: Rehearsed, b: Rehearsed): Rehearsed {
  const more = a.assignments.length - b.assignments.length;
  return more > 0 || (more === 0 && a.cost <= b.cost) ? a : b;
}

interface Held {
  readonly device: DeviceSnapshot;
  laden: DeviceSnapshot;
  load: Required<ConstructorParameters<typeof Laden>[1]>;
}

const nothing: Held['load'] = { running: 0, time: exactly(0), energyJ: 0, loading: new Map() };

function give(held: Held, { choice, queueMs, loadMs, runMs, energyJ }: Candidate, nowMs: number): void {
  const { running, time, energyJ: before } = held.load;
  const loads = choice && loadMs > 0 && !held.load.loading.has(choice.key);
  const loading = loads ? new Map(held.load.loading).set(choice.key, nowMs + queueMs + loadMs) : held.load.loading;
  held.load = { running: running + 1, time: sum(time, exactly(loadMs + runMs)), energyJ: before + energyJ, loading };
  held.laden = new Laden(held.device, held.load);
}
