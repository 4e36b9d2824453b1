import coap from 'coap';
import { encodeUint } from './block-option.ts';
import { keepFromPackage, MessageOptions, optionNumbers } from './options.ts';
import { ReplyStore } from './reply-store.ts';

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
  readonly options?: readonly (readonly [number: number, value: Buffer])[];
}

/** Somebody who observes. One notification at a time: the next one when this one is acknowledged (RFC 7641 §4.5.1). */
export interface Observer {
  readonly endpoint: string;
  /** Resolves `true` when it is acknowledged, `false` when the observer does not want any more or {@link end} was called. */
  notify(message: SentMessage): Promise<boolean>;
  /** Nothing is sent again any more. */
  end(): void;
}

export interface Responder {
  answer(message: SentMessage): void;
  /** Where the client asks to observe: answers, and goes on with notifications. */
  readonly accept: ((message: SentMessage) => Observer) | undefined;
}

type Packet = Parameters<coap.Server['_handle']>[0];
type Sender = Parameters<coap.Server['_handle']>[1];

/** Replies that are kept for requests that come twice. */
const mostReplies = 4_000;

/** The server of the `coap` package, without its block-wise transfer, and with bounds on what it keeps: each message goes and comes as it is. */
export class MessageServer extends coap.Server {
  readonly #awaited = new Map<string, (acknowledged: boolean) => void>();
  readonly #onMessage: (message: ReceivedMessage, responder: Responder) => void;
  /** Requests that are being answered: the package knows a repeated one only by its answer. */
  readonly #unanswered = new Set<string>();
  #optionsOfRequest: MessageOptions | undefined;
  #messageId = 0;

  constructor(onMessage: (message: ReceivedMessage, responder: Responder) => void) {
    super();
    this.#onMessage = onMessage;
    this._lru = Object.assign(new ReplyStore(mostReplies), { pruneTimer: undefined }) as unknown as typeof this._lru;
    this.on('request', (request: coap.IncomingMessage, response: coap.OutgoingMessage | coap.ObserveWriteStream) => {
      // A datagram that cannot be sent is one that got lost.
      response.on('error', () => {});
      // A ping (RFC 7252 §4.3).
      if (request.code === '0.00') response.reset();
      else this.#request(request, response);
    });
  }

  override _handle(packet: Packet, sender: Sender): void {
    keepFromPackage(packet.options ?? []);
    // The package is done with one message before it begins with the next.
    this.#optionsOfRequest = new MessageOptions(packet.options ?? []);
    // Its answer is under way: it will have come for both.
    if (this.#unanswered.has(requestKey(packet, sender))) return;
    const isAnswer = packet.ack === true || packet.reset === true;
    const settle = isAnswer ? this.#awaited.get(messageKey(endpointOf(sender), packet.messageId)) : undefined;
    super._handle(packet, sender);
    settle?.(packet.ack === true);
  }

  /** The package sends errors to this machine instead of to the sender. What cannot be read is dropped (RFC 7252 §4.2 allows it). */
  override _sendError(): void {}

  /** A key is all that the package wants before it goes on with a request that has a token; bodies are put together elsewhere. */
  override _toCacheKey(): string {
    return '';
  }

  #request(request: coap.IncomingMessage, response: coap.OutgoingMessage | coap.ObserveWriteStream): void {
    const options = this.#optionsOfRequest ?? new MessageOptions([]);
    const endpoint = endpointOf(request.rsinfo);
    const message = { code: request.code, options, payload: request.payload, endpoint };
    if (!(response instanceof coap.ObserveWriteStream)) {
      const key = requestKey(request._packet, request.rsinfo);
      this.#unanswered.add(key);
      const answer = (said: SentMessage) => {
        this.#unanswered.delete(key);
        endWith(response, said);
      };
      this.#onMessage(message, { answer, accept: undefined });
      return;
    }
    // It would say something more when it ends.
    response._counter = 1;
    const say = (answer: SentMessage) => {
      writeOptions(response, answer);
      response.statusCode = answer.code;
      response._doSend(answer.payload && Buffer.from(answer.payload));
    };
    this.#onMessage(message, {
      answer: say,
      accept: (answer) => {
        say({ ...answer, options: [...(answer.options ?? []), [optionNumbers.observe, encodeUint(1)]] });
        return this.#observer(endpoint, response, say);
      },
    });
  }

  #observer(endpoint: string, stream: coap.ObserveWriteStream, say: (message: SentMessage) => void): Observer {
    let number = 1;
    let open: string | undefined;
    let settleOpen = (_acknowledged: boolean) => {};
    const close = (acknowledged: boolean) => {
      if (open === undefined) return;
      this.#awaited.delete(open);
      this._lru.delete(open);
      open = undefined;
      settleOpen(acknowledged);
    };
    return {
      endpoint,
      notify: (message) => {
        close(false);
        // 24 bits (RFC 7641 §4.4).
        number = (number + 1) & 0xff_ffff;
        this.#messageId = (this.#messageId + 1) & 0xffff;
        Object.assign(stream._packet, { messageId: this.#messageId, confirmable: true, ack: false });
        open = messageKey(endpoint, this.#messageId);
        this.#awaited.set(open, close);
        const { promise, resolve } = Promise.withResolvers<boolean>();
        settleOpen = resolve;
        say({ ...message, options: [...(message.options ?? []), [optionNumbers.observe, encodeUint(number)]] });
        return promise;
      },
      end: () => close(false),
    };
  }
}

/** The package's own `end` would cut a full block into blocks. */
function endWith(response: coap.OutgoingMessage, answer: SentMessage): void {
  writeOptions(response, answer);
  response.code = answer.code;
  coap.OutgoingMessage.prototype.end.call(response, answer.payload && Buffer.from(answer.payload));
}

function writeOptions(response: coap.OutgoingMessage | coap.ObserveWriteStream, { options = [] }: SentMessage): void {
  response._packet.options = options.map(([number, value]) => ({ name: String(number), value }));
}

/** As the package names a client. */
function endpointOf({ address, port }: Sender): string {
  return `${address}:${port}`;
}

function requestKey({ messageId, token }: Packet, sender: Sender): string {
  return `${messageKey(endpointOf(sender), messageId)}/${token?.toString('latin1')}`;
}

function messageKey(endpoint: string, messageId: number | undefined): string {
  return `${endpoint}/${messageId}`;
}
