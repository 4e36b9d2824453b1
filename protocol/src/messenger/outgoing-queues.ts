import { type SequenceSource, sealEnvelope } from '../envelope/index.ts';
import { asShoalError, type ErrorCode, ShoalError } from '../errors/index.ts';
import type { Identity, PeerId } from '../identity/index.ts';
import type { Link } from '../link/index.ts';
import type { MessageInit, PayloadInit } from '../messages/index.ts';
import { BoundedQueue, type Clock, type Logger } from '../runtime/index.ts';
import type { Session } from '../seal/index.ts';

export interface OutgoingMessage {
  readonly id: number;
  readonly replyTo: number;
  readonly payload: PayloadInit;
  readonly attachments?: readonly Uint8Array[];
  /** It is what sessions are agreed on with, and is not sealed itself. */
  readonly openly?: true;
  /** As in the message of that name. */
  readonly expiresAtMs?: number;
}

/** Told once: `undefined` when the link took the message, the error when it did not. */
export type OnTaken = (error: ShoalError | undefined) => void;

interface Deps {
  readonly identity: Identity;
  readonly link: Link;
  readonly sequences: SequenceSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The session to seal with what is said to a peer. @throws `seal.session` when there has to be one, and is none yet */
  sessionFor(peer: PeerId): Session | undefined;
}

interface Waiting {
  readonly message: OutgoingMessage;
  readonly onTaken: OnTaken | undefined;
}

/** What waits for one peer, and when it leaves. */
interface PeerQueue {
  readonly waiting: BoundedQueue<Waiting>;
  /** Of the attachments of what waits. */
  bulkBytes: number;
  /** Something is on its way, or leaves in this turn: what is added meanwhile leaves with it or right after. */
  leaving: boolean;
  /** Ends the wait for company. */
  cancelPatience: () => void;
}

/** Attachments that wait for one peer at most, bytes: whoever asks for more than its link can carry is told so, and asks again. */
const mostBulkBytes = 32 << 20;

/** How long an acknowledgement waits for company, ms. Nobody waits for it: whoever is acknowledged goes on without. */
const patienceMs = 2;

/**
 * What is to be sent, by peer. All that is added for a peer in one turn of the event loop, or while the last frame is being sent, leaves as
 * one signed envelope: signing is what costs, here, and verifying there. A bare acknowledgement waits a moment for something to travel with.
 */
export class OutgoingQueues {
  readonly #deps: Deps;
  readonly #limits: { readonly queueLimit: number; readonly batchLimit: number };
  /** A peer has a queue as long as something waits for it. */
  readonly #queues = new Map<PeerId, PeerQueue>();
  #closed = false;

  constructor(deps: Deps, limits: { readonly queueLimit: number; readonly batchLimit: number }) {
    this.#deps = deps;
    this.#limits = limits;
  }

  add(to: PeerId, message: OutgoingMessage, onTaken?: OnTaken): void {
    if (this.#closed) {
      this.#tell({ message, onTaken }, to, new ShoalError('closed', 'the messenger was stopped'));
      return;
    }
    const queue = this.#queueOf(to);
    const bulkBytes = bulkOf(message);
    try {
      if (bulkBytes > 0 && queue.bulkBytes > 0 && queue.bulkBytes + bulkBytes > mostBulkBytes) {
        throw new ShoalError('queue.full', `attachments of ${queue.bulkBytes} bytes wait for ${to}`, { peer: to });
      }
      queue.waiting.push({ message, onTaken });
      queue.bulkBytes += bulkBytes;
    } catch (error) {
      this.#tell({ message, onTaken }, to, asShoalError(error));
      return;
    }
    if (queue.leaving) return;
    if (!isAcknowledgement(message) || queue.waiting.size >= this.#limits.batchLimit) this.#leave(to, queue);
    else if (queue.waiting.size === 1) {
      const leave = () => this.#leave(to, queue);
      queue.cancelPatience = this.#deps.clock.after(`messenger: acknowledge to ${to}`, patienceMs, leave);
    }
  }

  /** Nothing more is sent; what waits is told so. */
  close(): void {
    this.#closed = true;
    const error = new ShoalError('closed', 'the messenger was stopped');
    for (const [to, { waiting, cancelPatience }] of this.#queues) {
      cancelPatience();
      for (let next = waiting.shift(); next; next = waiting.shift()) this.#tell(next, to, error);
    }
    this.#queues.clear();
  }

  #queueOf(to: PeerId): PeerQueue {
    let queue = this.#queues.get(to);
    if (!queue) {
      const { queueLimit: limit } = this.#limits;
      const waiting = new BoundedQueue<Waiting>({ name: `to ${to}`, limit, overflow: 'refuse' });
      queue = { waiting, bulkBytes: 0, leaving: false, cancelPatience: () => {} };
      this.#queues.set(to, queue);
    }
    return queue;
  }

  #leave(to: PeerId, queue: PeerQueue): void {
    queue.cancelPatience();
    queue.leaving = true;
    this.#deps.clock.soon(`messenger: send to ${to}`, () => void this.#run(to, queue));
  }

  /** Sends until the peer's queue is empty, then forgets it. Never rejects. */
  async #run(to: PeerId, queue: PeerQueue): Promise<void> {
    while (queue.waiting.size > 0) await this.#sendBatch(to, this.#takeBatch(queue));
    if (this.#queues.get(to) === queue) this.#queues.delete(to);
  }

  /** As many messages as go under one signature: up to the limit, and attachments that fit into one frame; sealed ones, or open ones. */
  #takeBatch(queue: PeerQueue): Waiting[] {
    const batch: Waiting[] = [];
    let bulkBytes = 0;
    const openly = queue.waiting.peek()?.message.openly;
    while (batch.length < this.#limits.batchLimit && bulkBytes < this.#deps.link.traits.maxFrameBytes >> 1) {
      if (queue.waiting.peek()?.message.openly !== openly) break;
      const next = queue.waiting.shift();
      if (!next) break;
      batch.push(next);
      bulkBytes += bulkOf(next.message);
    }
    queue.bulkBytes -= bulkBytes;
    return batch;
  }

  async #sendBatch(to: PeerId, batch: readonly Waiting[]): Promise<void> {
    const { identity, link, sequences, clock } = this.#deps;
    try {
      const sequence = await sequences.next();
      const frame = sealEnvelope(identity, {
        recipient: to,
        sequence,
        sentAtMs: clock.nowMs(),
        ...contentOf(batch),
        introduce: batch.some(({ message: { payload } }) => 'hello' in payload || 'sessionOffer' in payload),
        session: batch[0]?.message.openly ? undefined : this.#deps.sessionFor(to),
      });
      if (frame.length > link.traits.maxFrameBytes && batch.length > 1) {
        const middle = batch.length >> 1;
        await this.#sendBatch(to, batch.slice(0, middle));
        await this.#sendBatch(to, batch.slice(middle));
        return;
      }
      const asks = batch.some(({ message }) => message.id !== 0);
      await link.send(to, frame, undefined, asks);
      for (const { onTaken } of batch) onTaken?.(undefined);
    } catch (error) {
      for (const waiting of batch) this.#tell(waiting, to, asShoalError(error));
    }
  }

  #tell(waiting: Waiting, to: PeerId, error: ShoalError): void {
    if (waiting.onTaken) waiting.onTaken(error);
    else if (!expected.has(error.code)) {
      const kind = Object.keys(waiting.message.payload)[0];
      this.#deps.logger.warn('message not sent', { to, kind, code: error.code, why: error.message });
    }
  }
}

/** What happens on every link, now and then. */
const expected: ReadonlySet<ErrorCode> = new Set(['net.unreachable', 'closed', 'seal.session']);

function bulkOf({ attachments = [] }: OutgoingMessage): number {
  return attachments.reduce((sum, { length }) => sum + length, 0);
}

/** Says that something was handled, and nothing else. */
export function isAcknowledgement({ replyTo, payload }: OutgoingMessage): boolean {
  return replyTo !== 0 && 'empty' in payload;
}

/** The messages of a batch, with the attachments of all of them in one list. Each message says by number which are its own. */
function contentOf(batch: readonly Waiting[]): { messages: MessageInit[]; attachments: Uint8Array[] } {
  const attachments: Uint8Array[] = [];
  const messages = batch.map(({ message }) => {
    const firstAttachment = attachments.length;
    attachments.push(...(message.attachments ?? []));
    return {
      id: message.id,
      replyTo: message.replyTo,
      expiresAtMs: message.expiresAtMs ?? 0,
      ...message.payload,
      firstAttachment,
      attachmentCount: attachments.length - firstAttachment,
    };
  });
  return { messages, attachments };
}
