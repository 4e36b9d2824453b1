import type { Clock, Random } from '@shoal/protocol';
import type { PlacementPolicy, Plan } from '../placement/index.ts';
import type { Registry } from '../registry/index.ts';
import { resolvedOf } from './assignment.ts';
import type { DeviceRooms } from './device-rooms.ts';
import type { LiveCamera } from './live-camera.ts';
import { placeCamera, type Seeker } from './place-camera.ts';

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly rooms: DeviceRooms;
}

/** Asks placement about cameras, as they stand now. */
export class CameraPlanner {
  readonly #deps: Deps;
  readonly policy: PlacementPolicy;

  constructor(deps: Deps, policy: PlacementPolicy) {
    this.#deps = deps;
    this.policy = policy;
  }

  /** Any device that can take it; where it runs, it is no load to itself. */
  anywhere(live: LiveCamera): Plan {
    return this.#plan(this.seekerOf(live), this.policy);
  }

  /** Only this device: what it would be given there, or why it would not be taken. */
  on(live: LiveCamera, device: string): Plan {
    const seeker = this.seekerOf(live);
    const yields = () => this.#deps.rooms.yieldedTo(live, device);
    return this.#plan({ ...seeker, spec: { ...seeker.spec, device }, yields }, this.policy);
  }

  /** Whether another place is better than where it runs, nobody giving way; moving costs what it weighs. */
  elsewhere(live: LiveCamera, perMove: number): Plan {
    const { weights } = this.policy;
    return this.#plan(
      { ...this.seekerOf(live), yields: () => new Map() },
      { ...this.policy, weights: { ...weights, perMove } },
    );
  }

  seekerOf(live: LiveCamera): Seeker {
    const { rooms } = this.#deps;
    const { camera, footage, declined, left } = live;
    const current = rooms.current(live);
    return {
      id: camera.id,
      spec: camera.spec,
      resolved: resolvedOf(live),
      footage,
      declined: reasonsOf(declined),
      left: reasonsOf(left),
      ...(current && { current }),
      yields: () => rooms.yieldedTo(live, camera.spec.device),
    };
  }

  #plan(seeker: Seeker, policy: PlacementPolicy): Plan {
    const { registry, clock, random } = this.#deps;
    return placeCamera(registry.fleet, seeker, {
      nowMs: clock.monotonicMs(),
      wallMs: clock.nowMs(),
      random,
      ...policy,
      ...(seeker.current && { current: seeker.current.device }),
    });
  }
}

function reasonsOf(asides: LiveCamera['declined']): ReadonlyMap<string, string> {
  return new Map([...asides].map(([device, { reason }]) => [device, reason]));
}
