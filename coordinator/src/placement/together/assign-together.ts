import type { PeerId } from '@shoal/protocol';
import { appraise } from '../appraise.ts';
import type { Candidate } from '../candidate.ts';
import { exactly } from '../duration.ts';
import { varietyOf } from '../large-fleets/typical-cost.ts';
import { menuOf } from '../menu.ts';
import type { PlacementContext } from '../policy.ts';
import type { DeviceSnapshot, FleetSnapshot, Work } from '../snapshot.ts';
import type { Strategy } from '../strategy.ts';
import { Survey } from '../survey.ts';
import { Laden } from './laden.ts';
import { type Assignment, better, Rehearsal } from './rehearsal.ts';

/** Works that come in within this time are decided on together, ms. */
export const gatherMs = 4;
/** Works that are decided on together, at most: those behind them are decided on when these are placed. */
export const mostTogether = 64;
/** So far ahead each device is thought of, in works. */
const mostTurns = 16;
/** Devices that are thought of. */
const mostDevices = 64;
/** Costs that are found out for one decision, at most: some tens of ms. */
const mostCosts = 8_192;

/** Works that are placed alike. */
interface Sort {
  readonly example: Work;
  readonly works: number[];
}

/** A turn on a device: after so many others of these works. */
interface Seat {
  readonly device: DeviceSnapshot;
  readonly turn: number;
  /** Of each sort. */
  readonly costs: readonly number[];
}

/**
 * Which devices works that wait at the same moment should go to, by a strategy that decides on them together, in the order in which they are to be placed. A
 * work that is not named found no seat. It is advice: what comes before a work on its device is only guessed here, so each is placed for itself after all.
 */
export function assignTogether(
  fleet: FleetSnapshot,
  works: readonly Work[],
  context: PlacementContext,
): readonly Assignment[] {
  const { together } = context.strategy;
  if (!together) return [];
  const sorts = sortsOf(works, fleet.acceleratorsBusy);
  const devices = devicesFor(sorts, fleet, context);
  const rehearsal = new Rehearsal(works, devices, fleet, context);
  const seated = new Map(seatedBy(together, sorts, devices, works.length, fleet, context));
  const inTurn = [...works.keys()];
  const left = inTurn.filter((work) => !seated.has(work));
  return better(rehearsal.of([...seated.keys(), ...left], seated), rehearsal.of(inTurn, new Map())).assignments;
}

/** The device of each work that got a seat, in the order of their turns. */
function seatedBy(
  together: NonNullable<Strategy['together']>,
  sorts: readonly Sort[],
  devices: readonly DeviceSnapshot[],
  works: number,
  fleet: FleetSnapshot,
  context: PlacementContext,
): readonly (readonly [work: number, device: PeerId])[] {
  const turns = Math.min(works, mostTurns, Math.max(1, Math.floor(mostCosts / sorts.length / devices.length)));
  const seats = devices.flatMap((device) => seatsOn(device, sorts, turns, fleet, context));
  const taken = together(
    sorts.map((sort, n) => ({ count: sort.works.length, costs: seats.map(({ costs }) => costs[n] as number) })),
  );
  return sorts
    .flatMap((sort, n) => {
      const own = (taken[n] ?? []).map((seat) => seats[seat] as Seat).sort((a, b) => a.turn - b.turn);
      return own.map(({ device, turn }, at) => ({ work: sort.works[at] as number, device: device.id, turn }));
    })
    .sort((a, b) => a.turn - b.turn || a.work - b.work)
    .map(({ work, device }) => [work, device] as const);
}

/** What differs by nothing but a little time or a few bytes is of one sort. */
function sortsOf(works: readonly Work[], acceleratorsBusy: number): readonly Sort[] {
  const sorts = new Map<string, Sort>();
  for (const [n, work] of works.entries()) {
    const { labels, device = '', tried, declined, choices } = work;
    const where = JSON.stringify([device, Object.entries(labels).sort(), [...tried], [...declined.keys()]]);
    const key = `${varietyOf(work, acceleratorsBusy)} ${where} ${menuOf(choices).key}`;
    const sort = sorts.get(key);
    if (sort) sort.works.push(n);
    else sorts.set(key, { example: work, works: [n] });
  }
  return [...sorts.values()];
}

/** All of a small fleet; of a large one the best for each sort, and others that are worth a look. */
function devicesFor(
  sorts: readonly Sort[],
  fleet: FleetSnapshot,
  context: PlacementContext,
): readonly DeviceSnapshot[] {
  if (fleet.size <= mostDevices) return [...fleet.all()];
  const devices = new Set<DeviceSnapshot>();
  for (const { example } of sorts) {
    const survey = new Survey(fleet, example, context);
    if (fleet.search?.(survey)) for (const { device } of survey.fresh.best()) devices.add(device);
  }
  for (const { example } of sorts) {
    if (devices.size >= mostDevices) break;
    for (const device of fleet.promising?.(example) ?? []) devices.add(device);
  }
  return [...devices].slice(0, mostDevices);
}

function seatsOn(
  device: DeviceSnapshot,
  sorts: readonly Sort[],
  turns: number,
  fleet: FleetSnapshot,
  context: PlacementContext,
): readonly Seat[] {
  const best = (at: DeviceSnapshot) => sorts.map(({ example }) => appraise(at, example, fleet, context)[0]);
  const seats: Seat[] = [];
  const first = best(device);
  const before = typical(first, sorts);
  for (let turn = 0; turn < turns; turn++) {
    const found = turn === 0 ? first : best(new Laden(device, times(before, turn, context.nowMs)));
    if (found.every((candidate) => candidate === undefined)) break;
    const costs = found.map((candidate) => candidate?.cost.total ?? Number.POSITIVE_INFINITY);
    seats.push({ device, turn, costs });
  }
  return seats;
}

/** What one of the works takes of the device, on the average of those that can go there, and what loading takes before the first. */
interface Typical {
  readonly ms: number;
  readonly joules: number;
  readonly loads: ReadonlyMap<string, number>;
}

function typical(best: readonly (Candidate | undefined)[], sorts: readonly Sort[]): Typical {
  let [count, ms, joules] = [0, 0, 0];
  const loads = new Map<string, number>();
  for (const [n, candidate] of best.entries()) {
    const works = candidate ? (sorts[n]?.works.length ?? 0) : 0;
    count += works;
    ms += works * (candidate?.runMs ?? 0);
    joules += works * (candidate?.energyJ ?? 0);
    if (candidate?.choice && candidate.loadMs > 0) loads.set(candidate.choice.key, candidate.loadMs);
  }
  return count === 0 ? { ms: 0, joules: 0, loads } : { ms: ms / count, joules: joules / count, loads };
}

/** So many of them: what they run is loaded once. */
function times({ ms, joules, loads }: Typical, turns: number, nowMs: number): ConstructorParameters<typeof Laden>[1] {
  let loadMs = 0;
  const loading = new Map<string, number>();
  for (const [key, ownMs] of loads) {
    loadMs += ownMs;
    loading.set(key, nowMs + loadMs);
  }
  return { running: turns, time: exactly(loadMs + turns * ms), energyJ: turns * joules, loading };
}
