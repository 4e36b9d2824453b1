import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { utf8 } from '../../bytes/index.ts';
import { asShoalError, errorCatalogue, ShoalError } from '../../errors/index.ts';
import type { Clock, Logger, Random } from '../../runtime/index.ts';
import { type Block, encodeBlock, encodeUint, largestBlockBytes } from './block-option.ts';
import { type BlockOutcome, HalfDoneBodies, type HalfDoneLimits } from './half-done-bodies.ts';
import { type CoreLink, encodeLinks, filterLinks, linkFormat } from './link-format.ts';
import type { WrittenOption } from './message.ts';
import {
  type CoapPeer,
  MessageServer,
  type Observer,
  type ReceivedMessage,
  type Responder,
  type SentMessage,
} from './message-server.ts';
import { type MessageOptions, optionNumbers } from './options.ts';
import { discoveryPath } from './resources.ts';
import { closeSocket, createUdpSocket } from './udp-socket.ts';

export type CoapMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface ServedRequest {
  readonly method: CoapMethod;
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  /** Whole, also when it came block-wise. */
  readonly body: Buffer;
  /** Address and port of the client. */
  readonly endpoint: string;
}

export interface ServedAnswer {
  /** `2.05` */
  readonly code: string;
  /** Goes block-wise when it is large: the resource is asked again for each block. */
  readonly body?: Uint8Array;
  /** Of this representation, at most 8 bytes; so that a client notices when it changes between two blocks. */
  readonly etag?: string;
  readonly contentFormat?: number;
  readonly location?: readonly string[];
}

/** Something that a client may ask for. Errors that are thrown are answered with their CoAP code. */
export interface CoapResource {
  /** Largest body that is taken. */
  readonly maxBodyBytes: number;
  /** Called with the first block of a large body, before anything of it is kept. Throws for what will not be taken anyway. */
  admit?(request: ServedRequest): void;
  serve(request: ServedRequest): ServedAnswer | Promise<ServedAnswer>;
  /** A client asks to be told what comes. `accept` answers it, and is the way to it from then on. Left out: it cannot be observed. */
  observe?(request: ServedRequest, accept: (answer: ServedAnswer) => Observer): void;
}

export interface CoapServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface CoapServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: HalfDoneLimits;
  /** What `/.well-known/core` tells. */
  readonly links: readonly CoreLink[];
  find(path: readonly string[]): CoapResource | undefined;
}

const methods: Readonly<Record<string, CoapMethod>> = {
  '0.01': 'GET',
  '0.02': 'POST',
  '0.03': 'PUT',
  '0.04': 'DELETE',
};

/** Options with odd numbers may not be passed over by who does not know them (RFC 7252 §5.4.1). */
const understood: ReadonlySet<number> = new Set(Object.values(optionNumbers));

/** Characters of an error that its answer tells: it has to go into one datagram. */
const mostWords = 250;

/** Serves resources over CoAP: discovery, bodies of any size in both directions, observation. It knows nothing of what the resources are. */
export class CoapServer {
  readonly #options: CoapServerOptions;
  readonly #logger: Logger;
  readonly #bodies: HalfDoneBodies;
  readonly #messages: MessageServer;
  #socket: Socket | undefined;
  #isStopped = false;

  constructor({ clock, random, logger }: CoapServerDeps, options: CoapServerOptions) {
    this.#options = options;
    this.#logger = logger;
    this.#bodies = new HalfDoneBodies(clock, options.limits);
    const send = (datagram: Buffer, { address, port }: CoapPeer) => this.#socket?.send(datagram, port, address);
    this.#messages = new MessageServer({ clock, random, send }, (message, responder) =>
      this.#answer(message, responder),
    );
  }

  /** @throws `closed` before start. */
  get port(): number {
    if (!this.#socket) throw new ShoalError('closed', 'the CoAP server is not started');
    return this.#socket.address().port;
  }

  get halfDone(): { readonly count: number; readonly sizeBytes: number } {
    const { count, sizeBytes } = this.#bodies;
    return { count, sizeBytes };
  }

  /** @throws `conflict` when the port is taken; `io.failed` when it cannot be had; `closed` when it is stopped meanwhile. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const socket = createUdpSocket(isIPv6(host) ? 6 : 4);
    try {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.once('error', reject);
      socket.bind(port, host, resolve);
      await promise;
      socket.off('error', reject);
      // A whole fleet may speak at once; what does not fit is sent again later.
      socket.setRecvBufferSize(4 << 20);
    } catch (error) {
      await closeSocket(socket);
      throw cannotListen(error as NodeJS.ErrnoException, host, port);
    }
    if (this.#isStopped) {
      await closeSocket(socket);
      throw new ShoalError('closed', 'the CoAP server was stopped');
    }
    // A datagram that cannot be sent is one that got lost.
    socket.on('error', (error) => this.#logger.debug('coap: a datagram failed', { why: error.message }));
    socket.on('message', (datagram, sender) => this.#messages.hear(datagram, sender));
    this.#socket = socket;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#bodies.clear();
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#messages.close();
    await closeSocket(socket);
  }

  #answer(message: ReceivedMessage, responder: Responder): void {
    try {
      const answer = this.#serve(message, responder);
      if (answer === undefined) return;
      // A turn later the socket may be closed.
      if (answer instanceof Promise) answer.then(responder.answer, this.#refuse(responder)).catch(() => {});
      else responder.answer(answer);
    } catch (thrown) {
      this.#refuse(responder)(thrown);
    }
  }

  readonly #refuse = (responder: Responder) => (thrown: unknown) => {
    const error = asShoalError(thrown, 'defect');
    if (error.code === 'defect') this.#logger.error('coap: a request failed', { why: error.message });
    responder.answer({ code: errorCatalogue[error.code].coap, payload: utf8(error.message.slice(0, mostWords)) });
  };

  /** `undefined`: it was answered on the way. */
  #serve(message: ReceivedMessage, responder: Responder): SentMessage | Promise<SentMessage> | undefined {
    const { options, payload, endpoint } = message;
    const method = methods[message.code];
    if (!method) return { code: '4.05' };
    if (!isUnderstood(options)) return { code: '4.02' };
    const path = options.texts(optionNumbers.uriPath);
    const resource = isDiscovery(path) ? this.#discovery : this.#options.find(path);
    if (!resource) return { code: '4.04' };

    const request = { method, path, query: queryOf(options), body: payload, endpoint };
    const { maxBodyBytes } = resource;
    if (Math.max(payload.length, options.uint(optionNumbers.size1) ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes);
    const { accept } = responder;
    if (accept && method === 'GET' && resource.observe) {
      resource.observe(request, (answer) => accept(representation(answer)));
      return undefined;
    }
    const block1 = options.block(optionNumbers.block1);
    if (block1 === 'malformed') return { code: '4.02' };
    if (!block1) return this.#finish(resource, request, options);
    // What fits into one datagram comes in one: nobody who is not let in makes us keep anything.
    if (maxBodyBytes <= largestBlockBytes && (block1.more || block1.number > 0)) return { code: '4.02' };
    resource.admit?.(request);
    const outcome = this.#bodies.add(bodyKey(message, method, path), block1, payload, maxBodyBytes);
    // Which block is meant is said back (RFC 7959 §2.3).
    const said = [optionNumbers.block1, encodeBlock(block1)] as const;
    if (outcome.kind !== 'whole') return { code: unfinishedCodes[outcome.kind], options: [said] };
    const withBlock = (answer: SentMessage) => ({ ...answer, options: [...(answer.options ?? []), said] });
    const finished = this.#finish(resource, { ...request, body: outcome.body }, options);
    return finished instanceof Promise ? finished.then(withBlock) : withBlock(finished);
  }

  #finish(resource: CoapResource, request: ServedRequest, options: MessageOptions): SentMessage | Promise<SentMessage> {
    const block2 = options.block(optionNumbers.block2);
    // Only what is read has a second block: anything else would be done once for each.
    if (block2 === 'malformed' || (block2?.number && request.method !== 'GET')) return { code: '4.02' };
    const served = resource.serve(request);
    return served instanceof Promise
      ? served.then((answer) => representation(answer, block2))
      : representation(served, block2);
  }

  readonly #discovery: CoapResource = {
    maxBodyBytes: largestBlockBytes,
    serve: ({ method, query }) => {
      if (method !== 'GET') return { code: '4.05' };
      const links = filterLinks(
        this.#options.links,
        [...query].map(([name, value]) => `${name}=${value}`),
      );
      return { code: '2.05', body: utf8(encodeLinks(links)), contentFormat: linkFormat };
    },
  };
}

/** An answer as one message: the whole of it, or the block that is asked for, the first one when none is. */
export function representation(answer: ServedAnswer, block: Block | undefined = undefined): SentMessage {
  const { code, body = new Uint8Array(), etag, contentFormat, location = [] } = answer;
  const { etag: etagNumber, locationPath, contentFormat: formatNumber, block2, size2 } = optionNumbers;
  const options: WrittenOption[] = location.map((part) => [locationPath, Buffer.from(part)] as const);
  if (etag !== undefined) options.push([etagNumber, Buffer.from(etag, 'latin1')]);
  if (contentFormat !== undefined) options.push([formatNumber, encodeUint(contentFormat)]);
  if (!block && body.length <= largestBlockBytes) return { code, options, payload: body };
  const { number = 0, sizeBytes = largestBlockBytes } = block ?? {};
  const offset = number * sizeBytes;
  if (offset > 0 && offset >= body.length) return { code: '4.02' };
  const end = Math.min(offset + sizeBytes, body.length);
  options.push([block2, encodeBlock({ number, more: end < body.length, sizeBytes })]);
  if (number === 0) options.push([size2, encodeUint(body.length)]);
  return { code, options, payload: body.subarray(offset, end) };
}

/** RFC 7959 §2.9. */
const unfinishedCodes: Readonly<Record<Exclude<BlockOutcome['kind'], 'whole'>, string>> = {
  more: '2.31',
  gap: '4.08',
  malformed: '4.00',
  'too-large': '4.13',
};

function tooLarge(maxBodyBytes: number): SentMessage {
  return { code: '4.13', options: [[optionNumbers.size1, encodeUint(maxBodyBytes)]] };
}

function isUnderstood(options: MessageOptions): boolean {
  return options.numbers.every((number) => number % 2 === 0 || understood.has(number));
}

function isDiscovery(path: readonly string[]): boolean {
  return `/${path.join('/')}` === discoveryPath;
}

function queryOf(options: MessageOptions): ReadonlyMap<string, string> {
  return new Map(
    options.texts(optionNumbers.uriQuery).map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** The token is none: libcoap takes another one for each block (RFC 7959 §2.4 leaves it free), and says by Request-Tag what belongs together (RFC 9175 §3). */
function bodyKey({ endpoint, options }: ReceivedMessage, method: CoapMethod, path: readonly string[]): string {
  const { uriQuery, requestTag } = optionNumbers;
  const tag = options.first(requestTag)?.toString('hex') ?? '';
  return JSON.stringify([endpoint, method, path, options.texts(uriQuery), tag]);
}

function cannotListen({ code, message }: NodeJS.ErrnoException, host: string, port: number): ShoalError {
  if (code === 'EADDRINUSE') {
    return new ShoalError(
      'conflict',
      `CoAP port ${port} is taken on ${host}: choose another one (0 for any free port)`,
      {
        kind: 'coap',
        host,
        port,
      },
    );
  }
  return new ShoalError('io.failed', `the CoAP server cannot listen on ${host}:${port}: ${message}`, { host, port });
}
