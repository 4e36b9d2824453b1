import { ShoalError } from '../../errors/index.ts';
import type { Clock, Random } from '../../runtime/index.ts';
import { type Block, largestBlockBytes } from './block-option.ts';
import type { CoapAddress } from './coap-address.ts';
import { ConnectedSocket } from './connected-socket.ts';
import { type CoapAnswer, type CoapRequest, MessageClient, type MessageDetail } from './message-client.ts';
import { optionNumbers } from './options.ts';
import { RoundTrip } from './round-trip.ts';

export interface CoapConnectionDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface CoapConnectionOptions {
  readonly address: CoapAddress;
  /** A message is sent again, after twice the time each time, until it is answered or this time is over, ms. */
  readonly silenceMs: number;
  /** Largest body that is taken. */
  readonly maxBodyBytes: number;
  /** The network says that nobody is there. */
  onTrouble(error: ShoalError): void;
}

/** Requests that may wait for their turn: more than one end has reason to ask. */
const mostWaiting = 64;
/** How often a representation may change while its blocks are being fetched. */
const mostRestarts = 5;

/** Requests to one CoAP server, with bodies of any size. One request is open at a time (NSTART = 1, RFC 7252 §4.7). */
export class CoapConnection {
  readonly #deps: CoapConnectionDeps;
  readonly #options: CoapConnectionOptions;
  readonly #roundTrip = new RoundTrip();
  #client: MessageClient | undefined;
  #socket: ConnectedSocket | undefined;
  #isBusy = false;
  /** Those whose turn has not come: they are called when it has. */
  readonly #waiting: (() => void)[] = [];
  /** The exchange that is open. */
  #giveUp = (_error: ShoalError) => {};
  #closed: ShoalError | undefined;

  constructor(deps: CoapConnectionDeps, options: CoapConnectionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @throws `net.unreachable` when there is no way to the address; nothing is sent yet. */
  async open(): Promise<void> {
    const { address, onTrouble } = this.#options;
    const socket = await ConnectedSocket.open(address, {
      onMessage: (datagram) => this.#client?.hear(datagram),
      onTrouble: ({ message }) =>
        onTrouble(new ShoalError('net.unreachable', `nobody answers at ${address.text}: ${message}`)),
    });
    this.#socket = socket;
    if (this.#closed) {
      await socket.close();
      throw this.#closed;
    }
    this.#client = new MessageClient({ ...this.#deps, send: (datagram) => socket.send(datagram) });
  }

  /**
   * Resolves with the whole answer, whatever its code. Bodies larger than a block go and come block-wise.
   * @throws `net.unreachable` when nobody answers in time or the connection is closed; `queue.full` when many others wait; `message.too-large` for an answer above the limit;
   * `message.malformed` for blocks that do not fit together.
   */
  async request(request: CoapRequest): Promise<CoapAnswer> {
    const answer = await this.#upload(request);
    const block = blockOf(answer, optionNumbers.block2);
    return block?.more || block?.number ? this.download(request, answer) : answer;
  }

  /**
   * Observes a resource (RFC 7641) until the connection is closed. A notification holds one block; {@link download} fetches the rest.
   * @returns what the resource is now; `options` has Observe when the server has agreed
   */
  async observe(path: string, onNotification: (answer: CoapAnswer) => void): Promise<CoapAnswer> {
    return this.#exchange({ method: 'GET', path }, { observe: onNotification });
  }

  /** The whole of a body whose first block is known; another answer when it is gone meanwhile. */
  async download(request: CoapRequest, first: CoapAnswer): Promise<CoapAnswer> {
    for (let restart = 0; restart < mostRestarts; restart++) {
      const start = restart === 0 ? first : await this.#exchange(request, {});
      if (start.code !== first.code) return start;
      const whole = await this.#downloadOnce(request, start);
      if (whole) return whole;
    }
    throw new ShoalError('message.malformed', `${request.path} changes faster than it can be read`);
  }

  async close(): Promise<void> {
    this.#closed ??= new ShoalError('net.unreachable', 'the connection was closed');
    this.#giveUp(this.#closed);
    this.#client?.forget();
    await this.#socket?.close();
  }

  async #upload(request: CoapRequest): Promise<CoapAnswer> {
    const { payload = new Uint8Array() } = request;
    if (payload.length <= largestBlockBytes) return this.#exchange(request, { payload });
    let sizeBytes = largestBlockBytes;
    for (let offset = 0; ; ) {
      const end = Math.min(offset + sizeBytes, payload.length);
      const more = end < payload.length;
      const block1 = { number: offset / sizeBytes, more, sizeBytes };
      const answer = await this.#exchange(request, {
        payload: payload.subarray(offset, end),
        block1,
        ...(offset === 0 && { size1: payload.length }),
      });
      if (!more || answer.code !== '2.31') return answer;
      // A server that wants smaller blocks says so with the first one (RFC 7959 §2.3).
      sizeBytes = Math.min(sizeBytes, blockOf(answer, optionNumbers.block1)?.sizeBytes ?? sizeBytes);
      offset = end;
    }
  }

  /** `undefined` when the representation changed meanwhile. */
  async #downloadOnce(request: CoapRequest, first: CoapAnswer): Promise<CoapAnswer | undefined> {
    let block = blockOf(first, optionNumbers.block2);
    if (block?.number) throw new ShoalError('message.malformed', 'a body does not begin with its first block');
    const parts = [first.payload];
    let sizeBytes = first.payload.length;
    this.#requireRoom(first.options.uint(optionNumbers.size2) ?? 0);
    while (block?.more) {
      if (sizeBytes === 0 || sizeBytes % block.sizeBytes !== 0) {
        throw new ShoalError('message.malformed', 'a block is shorter than it says');
      }
      const number: number = sizeBytes / block.sizeBytes;
      const next = await this.#exchange(request, { block2: { ...block, number, more: false } });
      if (!sameEtag(first, next)) return undefined;
      if (next.code !== first.code) throw new ShoalError('message.malformed', `a block was answered ${next.code}`);
      block = blockOf(next, optionNumbers.block2);
      if (block?.number !== number) throw new ShoalError('message.malformed', 'another block came than was asked for');
      parts.push(next.payload);
      sizeBytes += next.payload.length;
      this.#requireRoom(sizeBytes);
    }
    return { ...first, payload: Buffer.concat(parts) };
  }

  #requireRoom(sizeBytes: number): void {
    const { maxBodyBytes } = this.#options;
    if (sizeBytes > maxBodyBytes) {
      throw new ShoalError('message.too-large', `a body of ${sizeBytes} bytes; ${maxBodyBytes} are taken`);
    }
  }

  async #exchange(request: CoapRequest, detail: MessageDetail): Promise<CoapAnswer> {
    if (this.#waiting.length >= mostWaiting) throw new ShoalError('queue.full', 'too much is asked at a time');
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isBusy = true;
    try {
      return await this.#send(request, detail);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#isBusy = false;
    }
  }

  #send(request: CoapRequest, detail: MessageDetail): Promise<CoapAnswer> {
    const { address } = this.#options;
    const { timeoutMs: patienceMs = this.#options.silenceMs } = request;
    const client = this.#client;
    if (this.#closed || !client)
      return Promise.reject(this.#closed ?? new ShoalError('closed', 'the connection is not open'));
    const { clock } = this.#deps;
    const sentMs = clock.monotonicMs();
    const { promise, resolve, reject } = Promise.withResolvers<CoapAnswer>();
    const sent = client.ask(request, detail, {
      ...{ timeoutMs: this.#roundTrip.timeoutMs, patienceMs },
      onAnswer: (answer, copies) => {
        if (copies === 1) this.#roundTrip.measured(clock.monotonicMs() - sentMs);
        resolve(answer);
      },
      onSilence: () => reject(new ShoalError('net.unreachable', `${address.text} did not answer for ${patienceMs} ms`)),
    });
    this.#giveUp = (error) => {
      sent.abort();
      reject(error);
    };
    return promise;
  }
}

function blockOf(answer: CoapAnswer, number: 23 | 27): Block | undefined {
  const block = answer.options.block(number);
  if (block === 'malformed') throw new ShoalError('message.malformed', 'a block option that cannot be');
  return block;
}

function sameEtag(one: CoapAnswer, other: CoapAnswer): boolean {
  const [a, b] = [one, other].map(({ options }) => options.first(optionNumbers.etag)?.toString('latin1'));
  return a === b;
}
