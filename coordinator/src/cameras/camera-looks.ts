import { type Clock, decodeLevels } from '@shoal/protocol';
import type { CameraGrant, Placement } from '../domain/index.ts';
import { type Apportionment, nearlyAll } from '../placement/index.ts';
import type { FleetDevice, Registry } from '../registry/index.ts';
import type { CameraPlanner } from './camera-planner.ts';
import type { DeviceRooms } from './device-rooms.ts';
import { byRank, type LiveCamera } from './live-camera.ts';
import { isWhole } from './place-camera.ts';

/** What is seen so often in a row, at one look each, is acted upon. Each look is two seconds after the one before it. */
const looksForTrouble = 3;
const looksForBetter = 5;
const looksForPortions = 5;
/** A camera that was moved, or given something else, is left as it is for this long, ms, unless it has to leave. */
const dwellMs = 60_000;
/** Of a device, this part is given out anew; what lies above it is kept for those who have it. */
const givenAnew = 0.85;
/** Devices that are looked at for better places at one look: of a large fleet, each camera has its turn less often. */
const devicesALook = 20_000;
const camerasALook = 64;

interface Deps {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly rooms: DeviceRooms;
  readonly planner: CameraPlanner;
  readonly cameras: ReadonlyMap<string, LiveCamera>;
}

/** Who does what a look finds right. */
export interface Mover {
  /** The camera has to leave its device as soon as it can. */
  sendAway(live: LiveCamera, reason: string): void;
  move(live: LiveCamera, placement: Placement, reason: string): void;
  give(device: FleetDevice, apportionment: Apportionment): void;
}

/** The same thing, seen so many times in a row. */
interface Streak {
  readonly what: string;
  readonly count: number;
}

/**
 * Looks again and again at cameras that run: whether their device has become too hot or its battery too empty, whether they could be given more there, or
 * be better off elsewhere. One look is never enough to do anything, so that what flickers moves nobody.
 */
export class CameraLooks {
  readonly #deps: Deps;
  readonly #mover: Mover;
  readonly #troubles = new WeakMap<LiveCamera, Streak>();
  readonly #better = new WeakMap<LiveCamera, Streak>();
  readonly #portions = new WeakMap<FleetDevice, Streak>();
  /** Where the next look for better places goes on. */
  #next = 0;

  constructor(deps: Deps, mover: Mover) {
    this.#deps = deps;
    this.#mover = mover;
  }

  look(): void {
    const { registry, rooms } = this.#deps;
    for (const [id, there] of rooms.byDevice()) {
      const device = registry.device(id);
      if (device?.presence !== 'online' || device.draining) continue;
      rooms.learn(device, there);
      for (const live of there) this.#lookForTrouble(live, device);
      this.#lookAtPortions(device, there);
    }
    this.#lookForBetter();
  }

  /** What new work would not be given to the device for, it is not kept for either. */
  #lookForTrouble(live: LiveCamera, device: FleetDevice): void {
    if (!live.resolved || live.mustLeave !== undefined) return;
    const why = device.power.onBattery || device.heat !== undefined ? this.#troubleOf(live, device) : undefined;
    if (why === undefined) this.#troubles.delete(live);
    else if (seenOften(this.#troubles, live, why.reason, looksForTrouble))
      this.#mover.sendAway(live, `${device.record.name}: ${why.detail}`);
  }

  #troubleOf(live: LiveCamera, device: FleetDevice) {
    const plan = this.#deps.planner.on(live, device.id);
    const [refusal] = plan.kind === 'unplaced' ? plan.refused : [];
    return refusal?.reason === 'battery' || refusal?.reason === 'hot' ? refusal : undefined;
  }

  /** Gives back what there is room for, and takes what there is no room for any more. */
  #lookAtPortions(device: FleetDevice, there: readonly LiveCamera[]): void {
    const { rooms, clock } = this.#deps;
    const fits = rooms.fits(device);
    if (fits && !there.some(isGivenLess)) return void this.#portions.delete(device);
    const apportionment = rooms.apportion(device, there, fits ? givenAnew : 1);
    const isBetter = !fits || (apportionment.out.length === 0 && raisesFirst(there, apportionment));
    if (!isBetter) return void this.#portions.delete(device);
    const what = JSON.stringify([...apportionment.portions]);
    if (!seenOften(this.#portions, device, what, looksForPortions)) return;
    const nowMs = clock.monotonicMs();
    if (fits && there.some(({ settledMs }) => nowMs - settledMs < dwellMs)) return;
    this.#mover.give(device, apportionment);
  }

  /** At most one camera moves because another place is better: what is better for the next one is seen when it is there. */
  #lookForBetter(): void {
    const { registry, cameras, planner } = this.#deps;
    // Strategies that do not go by cost do not know what is better.
    if (!planner.policy.strategy.leastCost) return;
    const all = [...cameras.values()];
    const turns = Math.min(all.length, camerasALook, Math.ceil(devicesALook / Math.max(1, registry.fleet.size)));
    for (let turn = 0; turn < turns; turn++) {
      const live = all[this.#next++ % all.length];
      if (live && this.#isBetterElsewhere(live)) return;
    }
  }

  #isBetterElsewhere(live: LiveCamera): boolean {
    const { clock, registry, planner } = this.#deps;
    const { device, spec, grant } = live.camera;
    if (device === undefined || !live.resolved || !live.agreed || live.mustLeave !== undefined) return false;
    if (spec.device !== undefined || !grant || clock.monotonicMs() - live.settledMs < dwellMs) return false;
    if (registry.device(device)?.presence !== 'online') return false;
    const isLess = isGivenLess(live);
    const plan = planner.elsewhere(live, isLess ? 0 : planner.policy.weights.perMove);
    const placement = plan.kind === 'placed' && plan.placement.chosen.device !== device ? plan.placement : undefined;
    const here = placement && planner.on(live, device);
    // Where it would not even be taken now, there is nothing to compare: that may be over in a moment.
    if (!placement || here?.kind !== 'placed' || (isLess && !isWhole(plan, planner.seekerOf(live)))) {
      this.#better.delete(live);
      return false;
    }
    const { chosen } = placement;
    if (!seenOften(this.#better, live, chosen.device, looksForBetter)) return false;
    const name = registry.device(chosen.device)?.record.name ?? chosen.device;
    const costs = `it costs ${here.placement.chosen.cost.total.toFixed(2)} here, ${chosen.cost.total.toFixed(2)} there, the move included`;
    const reason = isLess ? `on ${name} it gets all that it asks for` : `${name} is better for it: ${costs}`;
    this.#mover.move(live, placement, reason);
    return true;
  }
}

/** Counts it; `true`, and begins anew, when it is so often in a row. */
function seenOften<Of extends object>(streaks: WeakMap<Of, Streak>, of: Of, what: string, often: number): boolean {
  const before = streaks.get(of);
  const count = before?.what === what ? before.count + 1 : 1;
  if (count < often) streaks.set(of, { what, count });
  else streaks.delete(of);
  return count >= often;
}

function isGivenLess({ camera: { grant, spec } }: LiveCamera): boolean {
  return grant !== undefined && (grant.decode !== 'full' || grant.fps < nearlyAll * spec.targetFps);
}

/** The first in rank who would be given something else would be given more. */
function raisesFirst(there: readonly LiveCamera[], { portions }: Apportionment): boolean {
  for (const { camera } of [...there].sort(byRank)) {
    const [before, after] = [camera.grant, portions.get(camera.id)];
    if (!before || !after || isSame(before, after)) continue;
    return decodeLevels.indexOf(after.decode) <= decodeLevels.indexOf(before.decode) && after.fps >= before.fps;
  }
  return false;
}

export function isSame(a: Pick<CameraGrant, 'decode' | 'fps'>, b: Pick<CameraGrant, 'decode' | 'fps'>): boolean {
  return a.decode === b.decode && a.fps === b.fps;
}
