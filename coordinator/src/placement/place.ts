import type { PeerId, Random } from '@shoal/protocol';
import type { Placement, PlacementCandidate, PlacementRefusal } from '../domain/index.ts';
import { type Estimate, estimate } from './expected-time.ts';
import { refusalOf } from './feasible.ts';
import type { DeviceSnapshot, FleetSnapshot, PlacementLimits, Work } from './snapshot.ts';

export type Plan =
  | { readonly kind: 'placed'; readonly placement: Placement }
  | { readonly kind: 'unplaced'; readonly refused: readonly PlacementRefusal[]; readonly reason: string };

/** Candidates and refusals that are kept with a placement: all of a small fleet, the telling ones of a large one. */
const othersKept = 8;
const refusalsKept = 32;

/**
 * Decides which device runs the work: of those that can take it, the one that is expected to be done first, by its own measurements. Pure: the
 * same snapshot, work, time and randomness give the same plan. Randomness only chooses between equals.
 *
 * A device where the work failed before is taken again only when no other one could do it, now or once it is less busy.
 */
export function place(
  fleet: FleetSnapshot,
  work: Work,
  context: { readonly nowMs: number; readonly random: Random; readonly limits: PlacementLimits },
): Plan {
  const fresh = new Candidates(context.random);
  const again = new Candidates(context.random);
  const refused: PlacementRefusal[] = [];
  let freshLater = false;
  const refuse = (refusal: PlacementRefusal) => {
    if (refused.length < refusalsKept) refused.push(refusal);
  };
  for (const device of fleet) {
    const tried = work.tried.has(device.id);
    const refusal = refusalOf(device, work, context.limits, context.nowMs);
    if (refusal) {
      if (refusal.reason === 'busy' && !tried) freshLater = true;
      refuse(refusal);
      continue;
    }
    const candidate = estimate(device, work, context.nowMs);
    const late = tooSlow(device, candidate, work);
    if (late) refuse(late);
    else (tried ? again : fresh).add(candidate);
  }
  const pool = fresh.size > 0 || freshLater ? fresh : again;
  if (pool === fresh)
    for (const { device } of again.best) refuse({ device, reason: 'tried-before', detail: 'it did not succeed there' });
  const [chosen, ...others] = pool.best.map(shown);
  if (!chosen) return { kind: 'unplaced', refused, reason: reasonOf(refused, fleet.length) };
  const strategy = 'expected-completion';
  return { kind: 'placed', placement: { strategy, chosen, others, refused, considered: fleet.length } };
}

/** A guess does not refuse, only a measurement: even with nothing to wait for the device would be late. */
function tooSlow(device: DeviceSnapshot, candidate: Estimate, { timeLeftMs }: Work): PlacementRefusal | undefined {
  const aloneMs = candidate.transferMs + candidate.inferenceMs;
  if (timeLeftMs === undefined || !candidate.measured || aloneMs <= timeLeftMs) return undefined;
  return {
    device: device.id,
    reason: 'too-slow',
    detail: `needs ${Math.ceil(aloneMs)} ms, ${Math.max(0, Math.floor(timeLeftMs))} ms are left`,
  };
}

/** The few candidates that are done first, in order, without sorting a large fleet. */
class Candidates {
  readonly best: Estimate[] = [];
  readonly #random: Random;
  #equals = 1;
  size = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(candidate: Estimate): void {
    this.size += 1;
    const { best } = this;
    const last = best.at(-1);
    if (
      last &&
      best.length > othersKept &&
      candidate.totalMs >= last.totalMs &&
      candidate.totalMs > (best[0]?.totalMs ?? 0)
    )
      return;
    let place = best.findIndex((other) => candidate.totalMs < other.totalMs);
    if (place < 0) place = best.length;
    if (best[0]?.totalMs === candidate.totalMs) {
      // Of n equals each comes first with a chance of 1/n.
      this.#equals += 1;
      if (this.#random.next() * this.#equals < 1) place = 0;
    } else if (place === 0) this.#equals = 1;
    best.splice(place, 0, candidate);
    if (best.length > othersKept + 1) best.pop();
  }
}

function shown({ measured: _, ...candidate }: Estimate): PlacementCandidate {
  return candidate;
}

/** Why nothing was found, for a person: the reasons, most frequent first. */
function reasonOf(refused: readonly PlacementRefusal[], considered: number): string {
  if (considered === 0) return 'no device has joined';
  const devices = new Map<string, PeerId[]>();
  for (const { reason, device } of refused) devices.set(reason, [...(devices.get(reason) ?? []), device]);
  const reasons = [...devices]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, ids]) => `${reason} (${ids.length})`);
  return `no device can take it now: ${reasons.join(', ')}`;
}
