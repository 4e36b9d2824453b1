import type { PeerId } from '../identity/index.ts';
import { isAcknowledgement, type OutgoingMessage } from './outgoing-queues.ts';

export interface ReplyCacheLimits {
  /** Replies that are kept in all. */
  readonly most: number;
  /** Replies that are kept for one peer. */
  readonly mostPerPeer: number;
}

/** What is kept of an acknowledgement: most replies are, and all are the same. */
const acknowledged = Symbol('acknowledged');
/** `null`: the request is being handled. */
type Kept = OutgoingMessage | typeof acknowledged | null;

/**
 * What was answered to whom, so that a request that comes a second time is not handled a second time. The oldest go first: of one peer, or of the
 * peer that was silent longest. A reply with attachments is not kept: it would be large, and such requests only read.
 */
export class ReplyCache {
  readonly #limits: ReplyCacheLimits;
  /** The peer that asked last stands last. */
  readonly #byPeer = new Map<PeerId, Map<number, Kept>>();
  #size = 0;

  constructor(limits: ReplyCacheLimits) {
    this.#limits = limits;
  }

  /** Replies held, those to requests that are being handled included. */
  get size(): number {
    return this.#size;
  }

  /** `undefined`: never seen; `null`: being handled; else the reply. */
  find(peer: PeerId, id: number): OutgoingMessage | null | undefined {
    const kept = id === 0 ? undefined : this.#byPeer.get(peer)?.get(id);
    return kept === acknowledged ? { id: 0, replyTo: id, payload: { empty: {} } } : kept;
  }

  begin(peer: PeerId, id: number): void {
    if (id === 0) return;
    const replies = this.#byPeer.get(peer) ?? new Map<number, Kept>();
    this.#byPeer.delete(peer);
    this.#byPeer.set(peer, replies);
    replies.set(id, null);
    this.#size += 1;
    if (replies.size > this.#limits.mostPerPeer) this.#dropOldestOf(peer, replies);
    if (this.#size > this.#limits.most) this.#dropOldest();
  }

  end(peer: PeerId, id: number, reply: OutgoingMessage): void {
    const replies = this.#byPeer.get(peer);
    if (!replies?.has(id)) return;
    if (reply.attachments?.length) this.#drop(peer, replies, id);
    else replies.set(id, isAcknowledgement(reply) ? acknowledged : reply);
  }

  #dropOldest(): void {
    for (const [peer, replies] of this.#byPeer) {
      this.#dropOldestOf(peer, replies);
      return;
    }
  }

  #dropOldestOf(peer: PeerId, replies: Map<number, Kept>): void {
    for (const id of replies.keys()) {
      this.#drop(peer, replies, id);
      return;
    }
  }

  #drop(peer: PeerId, replies: Map<number, Kept>, id: number): void {
    if (replies.delete(id)) this.#size -= 1;
    if (replies.size === 0) this.#byPeer.delete(peer);
  }
}
