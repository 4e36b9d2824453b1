import {
  type OpenedEnvelope,
  type OpenOptions,
  openEnvelope,
  SequenceSource,
  type SequenceStore,
} from '../envelope/index.ts';
import { asShoalError, type ErrorCode, isErrorCode, ShoalError } from '../errors/index.ts';
import type { Identity, ImportPeerKey, PeerId, PeerKey } from '../identity/index.ts';
import type { Link } from '../link/index.ts';
import { type Message, type Payload, type PayloadInit, payloadOf } from '../messages/index.ts';
import type { Clock, Logger, Service } from '../runtime/index.ts';
import { Expiry, type ExpiryPolicy } from './expiry.ts';
import { type OutgoingMessage, OutgoingQueues } from './outgoing-queues.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyCache } from './reply-cache.ts';
import type { Reply, RequestOptions } from './request.ts';
import { Sealing, type SealPolicy } from './sealing.ts';

/** Whose key is known: the pinned coordinator on a device, the joined devices on a coordinator. */
export interface PeerDirectory {
  keyOf(peer: PeerId): PeerKey | undefined;
}

export interface MessengerDeps {
  readonly identity: Identity;
  readonly link: Link;
  readonly peers: PeerDirectory;
  readonly sequences: SequenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of peers that introduce themselves. Left out: Ed25519. */
  readonly importKey?: ImportPeerKey;
  /** Left out: nothing is sealed, and nothing sealed is opened. */
  readonly seal?: SealPolicy;
  /** What this side's requests, and those of its peers, are worth when they come late. Left out: nothing expires. */
  readonly expiry?: ExpiryPolicy;
}

export interface MessengerOptions {
  /** Messages that wait for one peer before a new one is refused. */
  readonly queueLimit: number;
  /** Messages under one signature at most. */
  readonly batchLimit: number;
  /** A request is sent again after this time without an answer, then after twice that, and so on up to `resendMaxMs`. */
  readonly resendFirstMs: number;
  readonly resendMaxMs: number;
  /** Requests that wait for an answer before a new one is refused. */
  readonly pendingLimit: number;
  /** Requests of one peer that are being handled before more are refused. */
  readonly handlingLimit: number;
  /** The same, of all strangers together: anybody can make any number of strangers. */
  readonly strangerLimit: number;
}

const defaultMessengerOptions: MessengerOptions = {
  queueLimit: 10_000,
  batchLimit: 256,
  resendFirstMs: 1_000,
  resendMaxMs: 10_000,
  pendingLimit: 50_000,
  handlingLimit: 2_000,
  strangerLimit: 256,
};

/** Replies kept for repeated requests: about 40 MB when full, of small replies. Those to strangers cannot push out the others. */
const replyLimits = { most: 100_000, mostPerPeer: 2_000 };
const strangerReplyLimits = { most: 1_000, mostPerPeer: 4 };

/** A message from a peer, its signature checked. */
export interface Incoming {
  readonly sender: PeerKey;
  /** `false`: the sender has introduced itself but has not joined. Only a `hello` comes through so. */
  readonly known: boolean;
  /** Nobody else could read it. */
  readonly sealed: boolean;
  readonly payload: Payload;
  readonly attachments: readonly Uint8Array[];
}

export interface Outgoing {
  readonly payload: PayloadInit;
  readonly attachments?: readonly Uint8Array[];
}

/**
 * Answers a message. For a request, what is returned is the reply (nothing: an empty one) and a thrown error becomes an error reply; for a
 * one-way message the return value is dropped. Called in the order of arrival; a repeated request gets the first reply again.
 */
export type MessageHandler = (incoming: Incoming) => Promise<Outgoing | undefined> | Outgoing | undefined;

/**
 * Speaks in signed messages over a link. What links do not promise is made good here, once for all of them: requests are repeated
 * until they are answered, repeated ones are handled once, and what is to be said to a peer in one turn goes under one signature.
 */
export class Messenger implements Service {
  readonly name = 'messenger';
  readonly #deps: MessengerDeps;
  readonly #options: MessengerOptions;
  readonly #sequences: SequenceSource;
  readonly #queues: OutgoingQueues;
  readonly #pending: PendingRequests;
  readonly #sealing: Sealing | undefined;
  readonly #replies = new ReplyCache(replyLimits);
  readonly #strangerReplies = new ReplyCache(strangerReplyLimits);
  /** By peer; all strangers under one name. */
  readonly #handling = new Map<PeerId | 'strangers', number>();
  readonly #expiry: Expiry;
  readonly #refused = new Map<ErrorCode, number>();
  readonly #opening: OpenOptions;
  #handler: MessageHandler = () => {
    throw new ShoalError('closed', 'nothing is handled here yet');
  };
  #unsubscribe = () => {};
  #stopped = false;

  constructor(deps: MessengerDeps, options: Partial<MessengerOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultMessengerOptions, ...options };
    this.#sequences = new SequenceSource(deps.sequences);
    this.#expiry = new Expiry(deps.expiry, deps.clock);
    this.#pending = new PendingRequests(deps.clock, this.#options);
    this.#sealing = deps.seal && this.#newSealing(deps.seal);
    const sessionFor = (peer: PeerId) => this.#sealing?.toSpeak(peer);
    this.#queues = new OutgoingQueues({ ...deps, sequences: this.#sequences, sessionFor }, this.#options);
    const sealing = this.#sealing;
    this.#opening = {
      recipient: this.self,
      keyOf: (peer) => deps.peers.keyOf(peer),
      lastSequence: (peer) => deps.sequences.lastReceived(peer),
      ...(deps.importKey && { importKey: deps.importKey }),
      ...(sealing && { sessionOf: ({ id }, session) => sealing.toHear(id, session) }),
    };
  }

  #newSealing(policy: SealPolicy): Sealing {
    const { identity, clock, logger, peers } = this.#deps;
    return new Sealing({
      ...{ identity, policy, clock, logger },
      keyOf: (peer) => peers.keyOf(peer),
      ask: (peer, payload, timeoutMs, began) => this.#ask(peer, payload, { timeoutMs }, began),
      tell: (peer, payload, how) =>
        this.#queues.add(peer, { id: 0, replyTo: 0, payload, ...(how === 'openly' && { openly: true }) }),
      onSession: (peer) => this.#pending.resendNow(peer),
    });
  }

  get self(): PeerId {
    return this.#deps.identity.id;
  }

  /** Frames that were not believed so far, by the code of the reason. */
  get refused(): ReadonlyMap<ErrorCode, number> {
    return this.#refused;
  }

  /** Peers with a session to seal with. */
  get sessions(): number {
    return this.#sealing?.size ?? 0;
  }

  /** Who answers. One handler; set before {@link start}. */
  handle(handler: MessageHandler): void {
    this.#handler = handler;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // A store that gives no sequences is noticed now.
    await this.#sequences.next();
    this.#unsubscribe = this.#deps.link.subscribe({
      onFrame: (frame) => this.#receive(frame),
      onPeer: (peer, reachable) => {
        if (reachable) this.#pending.resendNow(peer);
      },
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#pending.fail(stoppedError());
    this.#queues.close();
    this.#sealing?.stop();
  }

  /** Says something once; it may get lost. Never waits, never throws: what cannot be sent is counted and logged. */
  send(to: PeerId, message: Outgoing): void {
    this.#queues.add(to, { id: 0, replyTo: 0, ...message });
  }

  /**
   * Asks until there is an answer.
   * @throws the peer's error under its own code; `timeout`; `closed`; `message.too-large`; `queue.full` when too many requests wait for an answer;
   * `aborted` or the `ShoalError` that the signal was aborted with.
   */
  async request(to: PeerId, payload: PayloadInit, options: RequestOptions): Promise<Reply> {
    const id = await this.#sequences.next();
    if (this.#stopped) throw stoppedError();
    const message = { id, replyTo: 0, payload, ...(options.attachments && { attachments: options.attachments }) };
    return this.#pending.add(to, id, options, (onTaken, leftMs) =>
      this.#queues.add(to, { ...message, ...this.#expiry.ofRequest(leftMs) }, onTaken),
    );
  }

  async #ask(to: PeerId, payload: PayloadInit, options: RequestOptions, began: (id: number) => void): Promise<Reply> {
    const id = await this.#sequences.next();
    if (this.#stopped) throw stoppedError();
    began(id);
    const message = { id, replyTo: 0, payload, openly: true } as const;
    return this.#pending.add(to, id, options, (onTaken) => this.#queues.add(to, message, onTaken));
  }

  /** Never throws: it is called where the link reads. */
  #receive(frame: Uint8Array): void {
    let opened: OpenedEnvelope;
    try {
      opened = openEnvelope(frame, this.#opening);
    } catch (error) {
      this.#refuse(asShoalError(error, 'message.malformed'));
      return;
    }
    try {
      const known = this.#deps.peers.keyOf(opened.sender.id) !== undefined;
      // A stranger's sequences are not remembered: anybody can make any number of strangers.
      if (known) this.#record(opened);
      if (opened.session) this.#sealing?.heard(opened.sender.id, opened.session);
      this.#expiry.learn(opened, this.#pending);
      const exposed = !opened.session && this.#sealing?.expectsSeal(opened.sender.id) === true;
      for (const message of opened.messages) this.#dispatch(opened, message, known, exposed);
    } catch (error) {
      // What could not be recorded is not handled: whoever asked will ask again.
      this.#deps.logger.error('a message could not be taken', {
        sender: opened.sender.id,
        error: asShoalError(error).message,
      });
    }
  }

  #refuse(refusal: ShoalError): void {
    this.#refused.set(refusal.code, (this.#refused.get(refusal.code) ?? 0) + 1);
    this.#deps.logger.debug('frame refused', { ...refusal.facts, code: refusal.code, why: refusal.message });
  }

  #record({ sender, sequence }: OpenedEnvelope): void {
    // A stranger's first two messages may end up here the later one first.
    if (sequence > this.#deps.sequences.lastReceived(sender.id))
      this.#deps.sequences.recordReceived(sender.id, sequence);
  }

  /** Not answered: whoever still waits asks again. */
  #refuseExpired(from: PeerId): void {
    this.#refuse(new ShoalError('message.expired', 'a request that came too late to be begun', { sender: from }));
    this.#expiry.refused();
  }

  /** @param exposed it was not sealed, and should have been */
  #dispatch(opened: OpenedEnvelope, message: Message, known: boolean, exposed: boolean): void {
    const from = opened.sender.id;
    const payload = payloadOf(message);
    if (exposed && this.#sealing?.takesOpenly(from, message.replyTo, payload) === false) {
      const refusal = new ShoalError('seal.required', 'messages are sealed here: join with a token that was made here');
      this.#refuse(refusal);
      if (message.replyTo === 0) this.#answerError(from, message.id, refusal, true);
      return;
    }
    if (message.replyTo !== 0) {
      this.#pending.settle(from, message.replyTo, answerOf(payload, attachmentsOf(opened, message)));
      return;
    }
    // A sealed nothing: its sender has the session.
    if (message.id === 0 && payload?.kind === 'empty') return;
    if (!known && payload?.kind !== 'hello' && !(payload?.kind === 'sessionOffer' && this.#sealing)) {
      this.#answerError(from, message.id, new ShoalError('device.unknown', 'say hello with a join token first'));
      return;
    }
    if (payload?.kind === 'sessionLost' && this.#sealing) {
      this.#sealing.lost(from, payload.value.session);
      return;
    }
    if (payload === undefined) {
      this.#answerError(
        from,
        message.id,
        new ShoalError('message.version', 'a kind of message that is not known here'),
      );
      return;
    }
    const again = this.#findReply(from, message.id);
    if (again) this.#reply(from, again);
    else if (again === undefined && this.#expiry.isOver(from, message)) this.#refuseExpired(from);
    else if (again === undefined) void this.#handle(opened, message, payload, known);
  }

  /** Where a hello was answered, its sender was still a stranger. */
  #findReply(from: PeerId, id: number): OutgoingMessage | null | undefined {
    const reply = this.#replies.find(from, id);
    return reply === undefined ? this.#strangerReplies.find(from, id) : reply;
  }

  /** Never rejects. */
  async #handle(opened: OpenedEnvelope, message: Message, payload: Payload, known: boolean): Promise<void> {
    const from = opened.sender.id;
    const { id } = message;
    const crowd = known ? from : 'strangers';
    const busy = this.#handling.get(crowd) ?? 0;
    if (busy >= (known ? this.#options.handlingLimit : this.#options.strangerLimit)) {
      this.#answerError(from, id, new ShoalError('queue.full', `${busy} requests are being handled`));
      return;
    }
    const replies = known ? this.#replies : this.#strangerReplies;
    this.#handling.set(crowd, busy + 1);
    replies.begin(from, id);
    const attachments = attachmentsOf(opened, message);
    const sealed = opened.session !== undefined;
    const reply = await this.#answer({ sender: opened.sender, known, sealed, payload, attachments });
    const left = (this.#handling.get(crowd) ?? 1) - 1;
    if (left > 0) this.#handling.set(crowd, left);
    else this.#handling.delete(crowd);
    // The first thing a stranger can do is to join: from then on its sequences count.
    if (!known && this.#deps.peers.keyOf(from)) {
      this.#record(opened);
      this.#sealing?.admit(from);
    }
    if (id === 0) return;
    const outgoing = {
      id: 0,
      replyTo: id,
      ...reply,
      ...(payload.kind === 'sessionOffer' && { openly: true as const }),
    };
    replies.end(from, id, outgoing);
    this.#reply(from, outgoing);
  }

  /** What the handler says, or an error reply with what it throws. */
  async #answer(incoming: Incoming): Promise<Outgoing> {
    const { sender, known, payload } = incoming;
    try {
      if (payload.kind === 'sessionOffer' && this.#sealing) {
        return { payload: this.#sealing.answer(sender, known, payload.value) };
      }
      return (await this.#handler(incoming)) ?? { payload: { empty: {} } };
    } catch (thrown) {
      const error = asShoalError(thrown);
      if (error.code === 'defect') {
        this.#deps.logger.error('a message handler failed', { kind: incoming.payload.kind, error: error.stack });
      }
      return errorReply(error);
    }
  }

  #reply(to: PeerId, message: OutgoingMessage): void {
    this.#queues.add(to, message, (error) => {
      if (error?.code === 'message.too-large') this.#answerError(to, message.replyTo, error);
      else if (error) this.#deps.logger.debug('reply not sent; it will be asked for again', { to, code: error.code });
    });
  }

  #answerError(to: PeerId, id: number, error: ShoalError, openly = false): void {
    if (id !== 0) this.#queues.add(to, { id: 0, replyTo: id, ...errorReply(error), ...(openly && { openly }) });
  }
}

function errorReply({ code, message }: ShoalError): Outgoing {
  return { payload: { error: { code, message } } };
}

function stoppedError(): ShoalError {
  return new ShoalError('closed', 'the messenger was stopped');
}

/** The attachments of one message of a batch. */
function attachmentsOf(opened: OpenedEnvelope, message: Message): readonly Uint8Array[] {
  return opened.attachments.slice(message.firstAttachment, message.firstAttachment + message.attachmentCount);
}

function answerOf(payload: Payload | undefined, attachments: readonly Uint8Array[]): Reply | ShoalError {
  if (payload === undefined)
    return new ShoalError('message.version', 'the peer answered with a kind of message that is not known here');
  if (payload.kind !== 'error') return { payload, attachments };
  const { code, message } = payload.value;
  return new ShoalError(isErrorCode(code) ? code : 'reply.failed', message, { fromPeer: true });
}
