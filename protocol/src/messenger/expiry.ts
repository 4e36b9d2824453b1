import type { OpenedEnvelope } from '../envelope/index.ts';
import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import { PeerClock } from './peer-clock.ts';
import type { PendingRequests } from './pending-requests.ts';

/** Who commands says until when; who is commanded looks at it. */
export type ExpiryPolicy =
  /** What is asked here is not to be begun any more once nobody waits for the answer. */
  | { readonly role: 'asks' }
  /**
   * What came too late is not begun. By the asker's clock, which is learned from its answers: until there is one, nothing that expires is begun.
   * Whoever still waits asks again.
   */
  | {
      readonly role: 'answers';
      /** What the asker's clock, and what is known of it here, may be wrong by, ms. */
      readonly toleranceMs: number;
      /** Something came too late; or the asker's clock was set back, and has to be asked for the time. */
      onExpired(): void;
    };

/** Time decides nothing about messages but this: whether a request that may be late is still to be begun. */
export class Expiry {
  readonly #policy: ExpiryPolicy | undefined;
  readonly #clock: Clock;
  readonly #peers = new Map<PeerId, PeerClock>();

  constructor(policy: ExpiryPolicy | undefined, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** What a request says of itself that is asked for so long yet, ms. */
  ofRequest(leftMs: number): { readonly expiresAtMs?: number } {
    return this.#policy?.role === 'asks' ? { expiresAtMs: Math.ceil(this.#clock.nowMs() + leftMs) } : {};
  }

  /** What time it is with somebody who answers. To be told of answers before they are settled. */
  learn({ sender, sentAtMs, messages }: OpenedEnvelope, pending: PendingRequests): void {
    if (this.#policy?.role !== 'answers') return;
    const startedMs = Math.max(...messages.map(({ replyTo }) => pending.startedMs(sender.id, replyTo) ?? -1));
    if (startedMs < 0) return;
    const monotonicMs = this.#clock.monotonicMs();
    const peer = this.#peers.get(sender.id) ?? new PeerClock();
    peer.answered({ sentAtMs, roundTripMs: monotonicMs - startedMs }, monotonicMs);
    this.#peers.set(sender.id, peer);
  }

  /** Whether a request must not be begun any more, or nobody can tell. */
  isOver(from: PeerId, { expiresAtMs }: { readonly expiresAtMs: number }): boolean {
    if (expiresAtMs === 0 || this.#policy?.role !== 'answers') return false;
    const nowMs = this.#peers.get(from)?.nowMs(this.#clock.monotonicMs());
    return nowMs === undefined || nowMs > expiresAtMs + this.#policy.toleranceMs;
  }

  refused(): void {
    if (this.#policy?.role === 'answers') this.#policy.onExpired();
  }
}
