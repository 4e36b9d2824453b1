import { asShoalError, ShoalError } from '../errors/index.ts';
import { type Identity, type PeerId, type PeerKey, roleOf } from '../identity/index.ts';
import type { Payload, PayloadInit, SessionOffer } from '../messages/index.ts';
import { type Clock, every, type Logger, type Random } from '../runtime/index.ts';
import {
  answerOffer,
  defaultSessionLimits,
  KeyOffer,
  type Parties,
  type Session,
  type SessionLimits,
  Sessions,
} from '../seal/index.ts';
import { expectReply, type Reply } from './request.ts';

/** What is hidden from everybody but its recipient. */
export interface SealPolicy {
  readonly random: Random;
  /** Nobody is told anything, or believed anything, that is not sealed. */
  readonly required: boolean;
  /** The same for one peer. Left out: for none but as {@link required} says. */
  seals?(peer: PeerId): boolean;
  readonly limits?: Partial<SessionLimits>;
}

interface Deps {
  readonly identity: Identity;
  readonly policy: SealPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  keyOf(peer: PeerId): PeerKey | undefined;
  /** Asks until there is an answer, and tells the id of the question before it is asked. Neither is sealed. */
  ask(peer: PeerId, payload: PayloadInit, timeoutMs: number, began: (id: number) => void): Promise<Reply>;
  /** Says something once, openly or sealed. */
  tell(peer: PeerId, payload: PayloadInit, how: 'openly' | 'sealed'): void;
  /** What was not said for want of a session can be said. */
  onSession(peer: PeerId): void;
}

/** How long a device goes on offering before it makes another offer, ms. */
const offerTimeoutMs = 30_000;
/** A session that was agreed on is waited for so long before the device is told that another is needed, ms: it may not have heard the answer. */
const expectedMs = 2_000;

/**
 * Who is spoken to under which session, and what may be said without one. Devices offer sessions, coordinators answer; neither falls back to speaking
 * openly because of anything that happens on the way.
 */
export class Sealing {
  readonly #deps: Deps;
  readonly #sessions: Sessions;
  readonly #offers: boolean;
  /** By peer, the offer that is not answered, by the id of its question once that is known. */
  readonly #offered = new Map<PeerId, { id: number; readonly offer: KeyOffer }>();
  readonly #sweepEveryMs: number;
  #stopSweeping: (() => void) | undefined;
  #stopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    const limits = { ...defaultSessionLimits, ...deps.policy.limits };
    this.#sweepEveryMs = limits.endAfterMs / 4;
    this.#sessions = new Sessions(deps.clock, limits);
    this.#offers = roleOf(deps.identity.id) === 'device';
  }

  /** Peers with a session. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * The session for what is said to a peer; `undefined`: it is said openly.
   * @throws `seal.session` when it must be sealed and cannot be yet. What makes it possible is under way then.
   */
  toSpeak(peer: PeerId): Session | undefined {
    const session = this.#sessions.current(peer);
    if (session) {
      if (this.#offers && this.#sessions.isDue(peer)) this.#offer(peer);
      return session;
    }
    if (!this.#mustSeal(peer)) return undefined;
    if (this.#offers) this.#offer(peer);
    else if (!this.#sessions.expects(peer, expectedMs)) this.#deps.tell(peer, { sessionLost: {} }, 'openly');
    throw new ShoalError('seal.session', `no session with ${peer} yet`, { peer });
  }

  /** The session that a frame of a peer names. Its signature was checked. @throws `seal.session` */
  toHear(peer: PeerId, id: Uint8Array): Session {
    const session = this.#sessions.find(peer, id);
    if (session) return session;
    if (!this.#offers) this.#deps.tell(peer, { sessionLost: { session: id } }, 'openly');
    else if (!this.#sessions.current(peer)) this.#offer(peer);
    throw new ShoalError('seal.session', `${peer} speaks under a session that is not known here`, { peer });
  }

  /** A frame was believed under this session. */
  heard(peer: PeerId, session: Session): void {
    if (this.#sessions.used(peer, session)) this.#deps.onSession(peer);
  }

  /** A stranger has joined. */
  admit(peer: PeerId): void {
    this.#sessions.admit(peer);
  }

  /** Whether this peer is to seal what it says. */
  expectsSeal(from: PeerId): boolean {
    return this.#mustSeal(from) || this.#sessions.current(from) !== undefined;
  }

  /** Whether something is believed though it was not sealed, and should have been. */
  takesOpenly(from: PeerId, replyTo: number, payload: Payload | undefined): boolean {
    if (payload?.kind === 'sessionOffer' || payload?.kind === 'sessionLost') return true;
    if (replyTo !== 0 && this.#offered.get(from)?.id === replyTo) return true;
    if (this.#deps.policy.required || payload?.kind !== 'hello' || this.#offers) return false;
    // It is the device itself that says so: it has joined anew and was told not to seal.
    this.#sessions.forget(from);
    return true;
  }

  /** The reply to an offer. @throws `seal.algorithm`, `message.malformed`, `device.unknown` */
  answer(sender: PeerKey, known: boolean, offer: SessionOffer): PayloadInit {
    if (this.#offers || roleOf(sender.id) !== 'device') {
      throw new ShoalError('device.unknown', 'devices offer sessions to coordinators, nobody else does');
    }
    const parties = { device: sender.publicKey, coordinator: this.#deps.identity.publicKey };
    const { answer, session } = answerOffer(offer, parties, this.#deps.policy.random);
    this.#sessions.expect(sender.id, session, known);
    this.#sweep();
    return { sessionAnswer: answer };
  }

  /** The coordinator says that it cannot open, or say, anything under the session; an empty id: under any. */
  lost(peer: PeerId, id: Uint8Array): void {
    if (!this.#offers) return;
    const current = this.#sessions.current(peer);
    if (id.length > 0 && current && this.#sessions.find(peer, id) !== current) return;
    this.#sessions.forget(peer);
    this.#offer(peer);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopSweeping?.();
    for (const { offer } of this.#offered.values()) offer.end();
    this.#offered.clear();
    this.#sessions.end();
  }

  #mustSeal(peer: PeerId): boolean {
    const { required, seals } = this.#deps.policy;
    return required || seals?.(peer) === true;
  }

  /** Never rejects. */
  #offer(peer: PeerId): void {
    if (this.#stopped || this.#offered.has(peer)) return;
    const offer = new KeyOffer(this.#deps.policy.random);
    this.#offered.set(peer, { id: 0, offer });
    void this.#agree(peer, offer)
      .catch((thrown: unknown) => {
        const { code, message } = asShoalError(thrown);
        if (!this.#stopped) this.#deps.logger.warn('no session could be agreed on', { peer, code, why: message });
      })
      .finally(() => {
        offer.end();
        this.#offered.delete(peer);
      });
  }

  async #agree(peer: PeerId, offer: KeyOffer): Promise<void> {
    const began = (id: number) => this.#offered.set(peer, { id, offer });
    const reply = await this.#deps.ask(peer, { sessionOffer: offer.message }, offerTimeoutMs, began);
    if (this.#stopped) return;
    const session = offer.accept(expectReply(reply, 'sessionAnswer'), this.#parties(peer));
    const couldSpeak = this.#sessions.current(peer) !== undefined;
    this.#sessions.adopt(peer, session);
    this.#sweep();
    // The coordinator speaks under it once it has heard it, and this device may have nothing to say for long.
    this.#deps.tell(peer, { empty: {} }, 'sealed');
    if (!couldSpeak) this.#deps.onSession(peer);
  }

  #parties(peer: PeerId): Parties {
    const coordinator = this.#deps.keyOf(peer);
    if (!coordinator) throw new ShoalError('device.unknown', `the key of ${peer} is not known`);
    return { device: this.#deps.identity.publicKey, coordinator: coordinator.publicKey };
  }

  /** From the first session on: who seals nothing needs no timer. */
  #sweep(): void {
    this.#stopSweeping ??= every(this.#deps.clock, 'messenger: sessions that are over', this.#sweepEveryMs, () =>
      this.#sessions.sweep(),
    );
  }
}
