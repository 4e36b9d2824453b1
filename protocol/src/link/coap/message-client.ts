import type { Clock, Random } from '../../runtime/index.ts';
import { type Block, encodeBlock, encodeUint } from './block-option.ts';
import { decodeMessage, emptyCode, encodeMessage, type Message, type WrittenOption } from './message.ts';
import { type MessageOptions, optionNumbers } from './options.ts';
import { Retransmission } from './retransmission.ts';

export interface CoapRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/a/b` */
  readonly path: string;
  /** `a=b&c=d` */
  readonly query?: string;
  readonly payload?: Uint8Array;
  /** When to give up a message that is not answered, ms. Default: the time that the connection allows for. */
  readonly timeoutMs?: number;
}

export interface CoapAnswer {
  /** `2.05`; `0.00`: the server does not know what we talk about (a reset). */
  readonly code: string;
  readonly payload: Buffer;
  readonly options: MessageOptions;
}

/** What one message of a request says beside the request. */
export interface MessageDetail {
  readonly payload?: Uint8Array;
  readonly block1?: Block;
  readonly block2?: Block;
  readonly size1?: number;
  /** Observe the resource: called for what comes after the answer. */
  readonly observe?: (notification: CoapAnswer) => void;
}

interface Handlers {
  /** How long to wait before it is sent a second time, ms; each further wait is twice as long. */
  readonly timeoutMs: number;
  /** When to give it up, ms. */
  readonly patienceMs: number;
  /** @param copies how often it had been sent by then */
  onAnswer(answer: CoapAnswer, copies: number): void;
  onSilence(): void;
}

export interface MessageClientDeps {
  readonly clock: Clock;
  /** Tokens are drawn of it: whoever knows them can answer in the server's name (RFC 7252 §5.3.1). */
  readonly random: Random;
  send(datagram: Buffer): void;
}

interface Asked {
  readonly token: string;
  readonly messageId: number;
  readonly sending: Retransmission;
  readonly onAnswer: Handlers['onAnswer'];
  readonly observe: MessageDetail['observe'];
  isAnswered: boolean;
  /** What is known of what is observed: its number, and when it came, monotonic ms. */
  known: { readonly number: number; readonly atMs: number } | undefined;
}

const codesOfMethods = { GET: '0.01', POST: '0.02', PUT: '0.03', DELETE: '0.04' } as const;
const tokenBytes = 8;
/** After so long numbers may have gone all the way round (RFC 7641 §3.4), ms. */
const freshMs = 128_000;

/** A client's messages to one server (RFC 7252 §4): confirmable requests, what comes to them, and what is observed. Bodies it does not put together. */
export class MessageClient {
  readonly #deps: MessageClientDeps;
  readonly #byToken = new Map<string, Asked>();
  /** Those that are not answered yet. */
  readonly #byMessageId = new Map<number, Asked>();
  #messageId: number;

  constructor(deps: MessageClientDeps) {
    this.#deps = deps;
    this.#messageId = Math.floor(deps.random.next() * 0x1_0000);
  }

  /** Sends a request, and sends it again until it is answered, given up or aborted. */
  ask(request: CoapRequest, detail: MessageDetail, handlers: Handlers): { abort(): void } {
    const { clock, random, send } = this.#deps;
    const { timeoutMs, patienceMs, onAnswer, onSilence } = handlers;
    this.#messageId = (this.#messageId + 1) & 0xffff;
    const messageId = this.#messageId;
    const token = Buffer.from(random.bytes(tokenBytes)).toString('latin1');
    const datagram = encodeMessage({
      ...{ type: 'CON', code: codesOfMethods[request.method], messageId, token },
      options: optionsOf(request, detail),
      payload: detail.payload,
    });
    const sending = new Retransmission({
      ...{ clock, random, timeoutMs, patienceMs },
      send: () => send(datagram),
      onSilence: () => {
        this.#forget(asked);
        onSilence();
      },
    });
    const { observe } = detail;
    const asked: Asked = { token, messageId, sending, onAnswer, observe, isAnswered: false, known: undefined };
    this.#byToken.set(token, asked);
    this.#byMessageId.set(messageId, asked);
    return { abort: () => this.#forget(asked) };
  }

  /** A datagram of the server. */
  hear(datagram: Buffer): void {
    const message = decodeMessage(datagram);
    if (!message) return;
    const { type, code, messageId } = message;
    if (type === 'RST' || (type === 'ACK' && code === emptyCode)) {
      const asked = this.#byMessageId.get(messageId);
      if (type === 'ACK') asked?.sending.acknowledged();
      else if (asked) this.#answered(asked, { ...message, code: emptyCode });
      return;
    }
    // Here is no server: requests are passed over.
    if (code !== emptyCode && code < '2') return;
    const asked = code === emptyCode ? undefined : this.#byToken.get(message.token);
    if (type !== 'ACK') this.#confirm(message, asked !== undefined);
    if (!asked || (type === 'ACK' && asked.messageId !== messageId)) return;
    if (!asked.isAnswered) this.#answered(asked, message);
    else if (this.#isFresh(asked, message)) asked.observe?.(message);
  }

  /** Nothing is sent again any more. */
  forget(): void {
    for (const asked of [...this.#byToken.values()]) this.#forget(asked);
  }

  #answered(asked: Asked, answer: CoapAnswer): void {
    asked.isAnswered = true;
    this.#isFresh(asked, answer);
    asked.sending.end();
    this.#byMessageId.delete(asked.messageId);
    // A server that does not agree answers without a number (RFC 7641 §3.1).
    if (!asked.observe || !answer.options.has(optionNumbers.observe)) this.#byToken.delete(asked.token);
    asked.onAnswer(answer, asked.sending.copies);
  }

  /** Whether it is newer than what is known, which it is from now on (RFC 7641 §3.4). What has no number comes as an end: always new. */
  #isFresh(asked: Asked, { options }: CoapAnswer): boolean {
    const number = options.uint(optionNumbers.observe);
    const { known } = asked;
    const atMs = this.#deps.clock.monotonicMs();
    if (number === undefined) return true;
    const ahead = (number - (known?.number ?? number - 1)) & 0xff_ffff;
    if (known && atMs - known.atMs <= freshMs && (ahead === 0 || ahead >= 1 << 23)) return false;
    asked.known = { number, atMs };
    return true;
  }

  #forget({ token, messageId, sending }: Asked): void {
    sending.end();
    this.#byToken.delete(token);
    this.#byMessageId.delete(messageId);
  }

  /** Tells the server that its message came, or that nobody wants it, as with one that only asks whether somebody is there (RFC 7252 §4.2, §4.3). */
  #confirm({ type, messageId }: Message, isWanted: boolean): void {
    if (isWanted && type === 'NON') return;
    this.#deps.send(encodeMessage({ type: isWanted ? 'ACK' : 'RST', code: emptyCode, messageId }));
  }
}

function optionsOf({ path, query }: CoapRequest, detail: MessageDetail): WrittenOption[] {
  const { block1, block2, size1, observe } = detail;
  const options: WrittenOption[] = [];
  if (observe) options.push([optionNumbers.observe, encodeUint(0)]);
  for (const part of path.split('/')) if (part !== '') options.push([optionNumbers.uriPath, Buffer.from(part)]);
  if (query !== undefined)
    for (const part of query.split('&')) options.push([optionNumbers.uriQuery, Buffer.from(part)]);
  if (block2) options.push([optionNumbers.block2, encodeBlock(block2)]);
  if (block1) options.push([optionNumbers.block1, encodeBlock(block1)]);
  if (size1 !== undefined) options.push([optionNumbers.size1, encodeUint(size1)]);
  return options;
}
