import { ShoalError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { type Block, largestBlockBytes } from './block-option.ts';
import type { CoapAddress } from './coap-address.ts';
import { ConnectedSocket } from './connected-socket.ts';
import { optionNumbers } from './options.ts';
import { RoundTrip } from './round-trip.ts';
import { type CoapAnswer, type CoapRequest, type MessageDetail, WatchingAgent } from './watching-agent.ts';

export interface CoapConnectionOptions {
  readonly address: CoapAddress;
  /** A message is sent again, after twice the time each time, until it is answered or this time is over, ms. */
  readonly silenceMs: number;
  /** Largest body that is taken. */
  readonly maxBodyBytes: number;
  /** The network says that nobody is there. */
  onTrouble(error: ShoalError): void;
}

/** How often a representation may change while its blocks are being fetched. */
const mostRestarts = 5;

/**
 * Requests to one CoAP server. Messages, retransmission and observation are those of the `coap` package; block-wise transfer (RFC 7959) is ours, see
 * `keepFromPackage`. One request is open at a time (NSTART = 1, RFC 7252 §4.7).
 */
export class CoapConnection {
  readonly #clock: Clock;
  readonly #options: CoapConnectionOptions;
  readonly #roundTrip = new RoundTrip();
  readonly #open = new Set<{ give(up: ShoalError): void }>();
  #agent: WatchingAgent | undefined;
  #socket: ConnectedSocket | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed: ShoalError | undefined;

  constructor(clock: Clock, options: CoapConnectionOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** @throws `net.unreachable` when there is no way to the address; nothing is sent yet. */
  async open(): Promise<void> {
    const { address, onTrouble } = this.#options;
    const socket = await ConnectedSocket.open(address, ({ message }) =>
      onTrouble(new ShoalError('net.unreachable', `nobody answers at ${address.text}: ${message}`)),
    );
    this.#socket = socket;
    if (this.#closed) {
      await socket.close();
      throw this.#closed;
    }
    this.#agent = new WatchingAgent(socket);
  }

  /**
   * Resolves with the whole answer, whatever its code. Bodies larger than a block go and come block-wise.
   * @throws `net.unreachable` when nobody answers in time or the connection is closed; `message.too-large` for an answer above the limit;
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
    for (const exchange of [...this.#open]) exchange.give(this.#closed);
    this.#agent?.forget();
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
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await this.#send(request, detail);
    } finally {
      resolve();
    }
  }

  #send(request: CoapRequest, detail: MessageDetail): Promise<CoapAnswer> {
    const { address } = this.#options;
    const { timeoutMs: waitMs = this.#options.silenceMs } = request;
    const agent = this.#agent;
    if (this.#closed || !agent)
      return Promise.reject(this.#closed ?? new ShoalError('closed', 'the connection is not open'));
    const clock = this.#clock;
    const sentMs = clock.monotonicMs();
    const { promise, resolve, reject } = Promise.withResolvers<CoapAnswer>();
    const end = () => {
      cancel();
      this.#open.delete(exchange);
    };
    const exchange = {
      give: (up: ShoalError) => {
        end();
        sent.abort();
        reject(up);
      },
    };
    const cancel = clock.after(`coap: ${address.text} answers`, waitMs, () =>
      exchange.give(new ShoalError('net.unreachable', `${address.text} did not answer for ${waitMs} ms`)),
    );
    this.#open.add(exchange);
    const sent = agent.ask(request, detail, {
      timeoutMs: this.#roundTrip.timeoutMs,
      onAnswer: (answer, copies) => {
        end();
        if (copies === 1) this.#roundTrip.measured(clock.monotonicMs() - sentMs);
        resolve(answer);
      },
      onFailure: (error) => {
        end();
        reject(new ShoalError('net.unreachable', `cannot talk to ${address.text}: ${error.message}`));
      },
    });
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
