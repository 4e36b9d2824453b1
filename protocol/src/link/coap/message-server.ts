import type { Clock, Random } from '../../runtime/index.ts';
import { encodeUint } from './block-option.ts';
import { decodeMessage, emptyCode, encodeMessage, type Message, type WrittenOption } from './message.ts';
import { type MessageOptions, optionNumbers } from './options.ts';
import { Retransmission } from './retransmission.ts';
import { RoundTrip } from './round-trip.ts';

export interface ReceivedMessage {
  /** `0.01` GET, `0.02` POST ... */
  readonly code: string;
  readonly options: MessageOptions;
  readonly payload: Buffer;
  /** Address and port of the sender, as one word. */
  readonly endpoint: string;
}

export interface SentMessage {
  readonly code: string;
  readonly payload?: Uint8Array;
  readonly options?: readonly WrittenOption[];
}

/** Somebody who observes. One notification at a time: the next one when this one is acknowledged (RFC 7641 §4.5.1). */
export interface Observer {
  readonly endpoint: string;
  /** Resolves `true` when it is acknowledged, `false` when the observer does not want any more, is silent, or {@link end} was called. */
  notify(message: SentMessage): Promise<boolean>;
  /** Nothing is sent again any more. */
  end(): void;
}

export interface Responder {
  /** Once. */
  answer(message: SentMessage): void;
  /** Where the client asks to observe: answers, and goes on with notifications. */
  readonly accept: ((message: SentMessage) => Observer) | undefined;
}

export interface MessageServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  send(datagram: Buffer, to: CoapPeer): void;
}

export interface CoapPeer {
  readonly address: string;
  readonly port: number;
}

/** Replies that are kept for requests that come twice; and requests that may wait for their answer. */
const mostReplies = 4_000;
/** After a notification that nobody acknowledges for so long, its observer is gone, ms: five copies, the first after 2 to 3 s (RFC 7252 §4.8.2, MAX_TRANSMIT_WAIT). */
const notificationPatienceMs = 93_000;

/**
 * A server's messages (RFC 7252 §4). An answer goes with the acknowledgement of its request: whoever answers late is asked again until then, and answers
 * once. Bodies it does not put together.
 */
export class MessageServer {
  readonly #deps: MessageServerDeps;
  readonly #onMessage: (message: ReceivedMessage, responder: Responder) => void;
  /** By request, the oldest first. */
  readonly #replies = new Map<string, Buffer>();
  readonly #unanswered = new Set<string>();
  /** Notifications that are not acknowledged yet. */
  readonly #awaited = new Map<string, (isAcknowledged: boolean) => void>();
  #isClosed = false;
  #messageId: number;

  constructor(deps: MessageServerDeps, onMessage: (message: ReceivedMessage, responder: Responder) => void) {
    this.#deps = deps;
    this.#onMessage = onMessage;
    this.#messageId = Math.floor(deps.random.next() * 0x1_0000);
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    for (const settle of [...this.#awaited.values()]) settle(false);
    this.#replies.clear();
    this.#unanswered.clear();
  }

  /** A datagram of anybody. */
  hear(datagram: Buffer, { address, port }: CoapPeer): void {
    // Whoever forges this sender could not be answered: there is no such port, and to send there is an error.
    if (port === 0) return;
    const message = decodeMessage(datagram);
    // What cannot be read is dropped (RFC 7252 §4.2 allows it).
    if (!message) return;
    const { type, code, messageId } = message;
    const peer = { address, port };
    const endpoint = `${address}:${port}`;
    if (type === 'ACK' || type === 'RST') this.#awaited.get(`${endpoint}/${messageId}`)?.(type === 'ACK');
    else if (code !== emptyCode) {
      if (code < '1') this.#request(message, peer, endpoint);
    } else if (type === 'CON') this.#send(encodeMessage({ type: 'RST', code, messageId }), peer);
  }

  #request(message: Message, peer: CoapPeer, endpoint: string): void {
    const { code, options, payload, token, messageId } = message;
    const key = `${endpoint}/${messageId}/${token}`;
    const before = this.#replies.get(key);
    if (before) {
      this.#send(before, peer);
      return;
    }
    // One whose answer is under way: it will have come for both. What there is no room for is asked again.
    if (this.#unanswered.has(key) || this.#unanswered.size >= mostReplies) return;
    this.#unanswered.add(key);
    const answer = (said: SentMessage) => {
      if (!this.#unanswered.delete(key)) return;
      const [type, id] = message.type === 'CON' ? (['ACK', messageId] as const) : (['NON', this.#nextId()] as const);
      const reply = encodeMessage({ ...said, type, messageId: id, token });
      this.#keep(key, reply);
      this.#send(reply, peer);
    };
    const accept = (said: SentMessage) => {
      answer(withObserve(said, 1));
      return this.#observer(peer, endpoint, token);
    };
    const isObserving = options.uint(optionNumbers.observe) === 0;
    this.#onMessage({ code, options, payload, endpoint }, { answer, accept: isObserving ? accept : undefined });
  }

  #observer(peer: CoapPeer, endpoint: string, token: string): Observer {
    const { clock, random } = this.#deps;
    const roundTrip = new RoundTrip();
    let number = 1;
    let settle = (_isAcknowledged: boolean) => {};
    return {
      endpoint,
      notify: (message) => {
        settle(false);
        // 24 bits (RFC 7641 §4.4).
        number = (number + 1) & 0xff_ffff;
        const messageId = this.#nextId();
        const datagram = encodeMessage({ ...withObserve(message, number), type: 'CON', messageId, token });
        const key = `${endpoint}/${messageId}`;
        const sentMs = clock.monotonicMs();
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const sending = new Retransmission({
          ...{ clock, random, timeoutMs: roundTrip.timeoutMs, patienceMs: notificationPatienceMs },
          send: () => this.#send(datagram, peer),
          onSilence: () => settle(false),
        });
        settle = (isAcknowledged) => {
          settle = () => {};
          sending.end();
          this.#awaited.delete(key);
          if (isAcknowledged && sending.copies === 1) roundTrip.measured(clock.monotonicMs() - sentMs);
          resolve(isAcknowledged);
        };
        this.#awaited.set(key, settle);
        return promise;
      },
      end: () => settle(false),
    };
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  #keep(key: string, reply: Buffer): void {
    this.#replies.set(key, reply);
    if (this.#replies.size <= mostReplies) return;
    for (const oldest of this.#replies.keys()) {
      this.#replies.delete(oldest);
      return;
    }
  }

  #send(datagram: Buffer, peer: CoapPeer): void {
    if (!this.#isClosed) this.#deps.send(datagram, peer);
  }
}

function withObserve(message: SentMessage, number: number): SentMessage {
  return { ...message, options: [...(message.options ?? []), [optionNumbers.observe, encodeUint(number)]] };
}
