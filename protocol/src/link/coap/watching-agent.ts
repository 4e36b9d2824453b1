import type { Socket } from 'node:dgram';
import coap from 'coap';
import { type Block, encodeBlock, encodeUint } from './block-option.ts';
import type { ConnectedSocket } from './connected-socket.ts';
import { keepFromPackage, MessageOptions, optionNumbers } from './options.ts';
import { firstTimeoutMs } from './round-trip.ts';

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
  /** @param copies how often it had been sent by then */
  onAnswer(answer: CoapAnswer, copies: number): void;
  onFailure(error: Error): void;
}

type Packet = Parameters<coap.Agent['_handle']>[0];
type Sender = Parameters<coap.Agent['_handle']>[1];
type Outgoing = ReturnType<coap.Agent['request']>;

interface Asked {
  readonly outgoing: Outgoing;
  readonly onAnswer: (answer: CoapAnswer) => void;
  readonly observe: MessageDetail['observe'];
  isAnswered: boolean;
}

/** The client of the `coap` package, without its block-wise transfer: each message goes and comes as it is. */
export class WatchingAgent extends coap.Agent {
  /** By token. */
  readonly #asked = new Map<string, Asked>();

  constructor(socket: ConnectedSocket) {
    super({ socket: socket as unknown as Socket });
  }

  /** Sends a confirmable request, and sends it again until it is answered or aborted. */
  ask(
    { method, path, query }: CoapRequest,
    detail: MessageDetail,
    { timeoutMs, onAnswer, onFailure }: Handlers,
  ): { abort(): void } {
    const { payload, block1, block2, size1, observe } = detail;
    const outgoing = this.request({
      // The socket knows where to.
      hostname: '',
      method,
      ...(observe && { observe: true }),
      // Whoever asks has a time limit.
      retrySend: 64,
    });
    const add = (number: number, value: Buffer) => outgoing._packet.options?.push({ name: String(number), value });
    for (const part of path.split('/')) if (part !== '') add(optionNumbers.uriPath, Buffer.from(part));
    if (query !== undefined) for (const part of query.split('&')) add(optionNumbers.uriQuery, Buffer.from(part));
    if (block1) add(optionNumbers.block1, encodeBlock(block1));
    if (block2) add(optionNumbers.block2, encodeBlock(block2));
    if (size1 !== undefined) add(optionNumbers.size1, encodeUint(size1));
    outgoing.on('error', onFailure);
    // The package keeps notifications until somebody reads its stream of them.
    outgoing.on('response', (response: { resume(): void }) => response.resume());
    const { sender } = outgoing;
    // The package has put its share of chance into it already (ACK_RANDOM_FACTOR).
    sender._currentTime *= timeoutMs / firstTimeoutMs;
    outgoing.end(payload && Buffer.from(payload));
    const token = tokenOf(outgoing._packet.token);
    const answered = (answer: CoapAnswer) => onAnswer(answer, sender._sendAttemp);
    this.#asked.set(token, { outgoing, onAnswer: answered, observe, isAnswered: false });
    return {
      abort: () => {
        this.#asked.delete(token);
        this.abort(outgoing);
      },
    };
  }

  override _handle(packet: Packet, sender: Sender, local: Sender): void {
    keepFromPackage(packet.options);
    const answer = { code: packet.code, payload: packet.payload, options: new MessageOptions(packet.options) };
    // A reset names a message, an answer names the request.
    const reset = packet.reset ? this._msgIdToReq.get(packet.messageId)?._packet.token : undefined;
    const token = tokenOf(reset ?? packet.token);
    super._handle(packet, sender, local);
    const asked = packet.code !== '0.00' || packet.reset ? this.#asked.get(token) : undefined;
    if (!asked) return;
    if (asked.isAnswered) {
      asked.observe?.(answer);
      return;
    }
    asked.isAnswered = true;
    if (!asked.observe) this.#asked.delete(token);
    asked.onAnswer(answer);
  }

  /** Nothing is sent again any more. */
  forget(): void {
    for (const { outgoing } of this.#asked.values()) this.abort(outgoing);
    this.#asked.clear();
  }
}

function tokenOf(token: Buffer | undefined): string {
  return token?.toString('latin1') ?? '';
}
