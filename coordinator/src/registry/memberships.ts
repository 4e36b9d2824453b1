import { type Clock, type Identity, type PeerId, sealMembership, type WelcomeInit } from '@shoal/protocol';
import type { FleetDevice } from './fleet-device.ts';

/** How long devices believe each other that they belong to the fleet while its coordinator is away, ms. */
const validMs = 24 * 3_600_000;
/** Of those that were put out, most that are told of. */
const mostPutOut = 256;
/** A whole fleet may say hello in a few seconds: who was put out is looked up this often, ms. */
const putOutEveryMs = 1_000;

interface Deps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly registry: { all(): Iterable<Pick<FleetDevice, 'id' | 'record' | 'lastSeenMs'>> };
}

/** What devices are given to show to each other, and of whom they are told that they show it in vain. */
export class Memberships {
  readonly #deps: Deps;
  #putOut: readonly PeerId[] = [];
  #putOutAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** For a device that has just been welcomed. */
  newsFor(device: PeerId): Pick<WelcomeInit, 'membership' | 'revoked'> {
    const { identity, clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (clock.monotonicMs() - this.#putOutAtMs >= putOutEveryMs) {
      this.#putOutAtMs = clock.monotonicMs();
      this.#putOut = this.#putOutSince(nowMs - validMs);
    }
    return { membership: sealMembership(identity, device, nowMs + validMs), revoked: [...this.#putOut] };
  }

  /** Who was heard before that has nothing to show any more. When they were, is not known of those that have said nothing since the start. */
  #putOutSince(ms: number): PeerId[] {
    const putOut: PeerId[] = [];
    for (const { id, record, lastSeenMs = ms } of this.#deps.registry.all()) {
      if (record.revoked && lastSeenMs >= ms) putOut.push(id);
    }
    return putOut.slice(-mostPutOut);
  }
}
