import { ShoalError } from '../errors/index.ts';
import type { PeerId, PeerKey } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import { openMembership } from './membership.ts';

/** What the coordinator says of the fleet with a Welcome. */
export interface FleetNews {
  readonly membership: Uint8Array;
  readonly revoked: readonly PeerId[];
  readonly coordinatorTimeMs: number;
}

interface Deps {
  readonly coordinator: PeerKey;
  readonly device: PeerId;
  readonly clock: Clock;
}

/** What a device shows to others of its fleet, and how it looks at what they show. The coordinator may be away meanwhile, as long as what is shown is good. */
export class FleetPass {
  readonly #deps: Deps;
  #own: Uint8Array | undefined;
  #revoked: ReadonlySet<PeerId> = new Set();
  /** What the coordinator's clock was ahead by, ms. Not known until it says so: then as much as this device's own is believed. */
  #aheadMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What it had before it was started again. */
  restore(membership: Uint8Array): void {
    this.#own = membership;
  }

  renew({ membership, revoked, coordinatorTimeMs }: FleetNews): void {
    // One of before this was there gives none.
    if (membership.length > 0) this.#own = membership;
    this.#revoked = new Set(revoked);
    this.#aheadMs = coordinatorTimeMs - this.#deps.clock.nowMs();
  }

  /** To be shown to others. @throws `device.unknown`, `device.expired` when this device has nothing to show */
  own(): Uint8Array {
    const { device } = this.#deps;
    if (!this.#own) throw new ShoalError('device.unknown', 'this device has not joined yet', { device });
    this.#requireGood(device, this.#own);
    return this.#own;
  }

  /** @throws `device.unknown`, `device.expired`, `device.revoked`: nothing is said to it and nothing given */
  require(device: PeerId, membership: Uint8Array): void {
    this.#requireGood(device, membership);
    if (this.#revoked.has(device)) throw new ShoalError('device.revoked', `${device} was revoked`, { device });
  }

  #requireGood(device: PeerId, membership: Uint8Array): void {
    const { coordinator, clock } = this.#deps;
    const expiresAtMs = openMembership(membership, { coordinator, device });
    if (clock.nowMs() + this.#aheadMs < expiresAtMs) return;
    const when = new Date(expiresAtMs).toISOString();
    const message = `what shows that ${device} belongs to this fleet expired at ${when}: it gets another when it reaches the coordinator`;
    throw new ShoalError('device.expired', message, { device, expiresAtMs });
  }
}
