import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  type ImportPeerKey,
  KeyProofs,
  type Link,
  type Logger,
  type PeerId,
  roleOf,
  type Service,
  ShoalError,
} from '@shoal/protocol';
import { defaultTopicPrefix, guardPackets, packetOverheadBytes } from '@shoal/protocol/mqtt';
import { Aedes, type Client } from 'aedes';
import { BrokerLink } from './broker-link.ts';
import { type CameraSenderOptions, CameraSenders } from './camera-senders.ts';
import { keepNoDownFilters } from './down-filters.ts';
import { LightClients } from './light-clients.ts';
import { type ListenerKind, layersOf, listenerKinds, type TlsIdentity } from './listener.ts';
import { Newcomers } from './newcomers.ts';
import { Readers } from './readers.ts';
import { type BrokerRules, rulesOf } from './topic-rules.ts';
import { Turnstile } from './turnstile.ts';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Other ways in, each with its port (0: any free one). */
  readonly also?: Partial<Readonly<Record<Exclude<ListenerKind, 'mqtt'>, number>>>;
  /** What `mqtts` and `wss` show. Needed with them. */
  readonly tls?: TlsIdentity;
  /** When the port is taken, how many of the following ones to try. Default 0: then it is an error. It always is for `also`: those were named. */
  readonly portSearch?: number;
  /** First levels of every topic. Default `shoal`. */
  readonly prefix?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<EmbeddedBrokerLimits>;
  /** Who belongs to the fleet: whether they are there is retained. Left out: everybody does. */
  readonly isMember?: (device: PeerId) => boolean;
  /** Whether this is the password of a reader, who sees which devices are there. Left out: there are none. */
  readonly isReader?: (password: string) => boolean;
  /** For cameras that publish their pictures. Left out: there are none. */
  readonly cameras?: Omit<CameraSenderOptions, 'prefix'>;
  /** Left out: devices, each under its own topics, and readers. */
  readonly rules?: BrokerRules;
  /** Left out: Ed25519. */
  readonly importKey?: ImportPeerKey;
}

export interface EmbeddedBrokerLimits {
  readonly maxFrameBytes: number;
  /** Of all ways in together. */
  readonly maxConnections: number;
  /** Who is at the other end of a socket must have said who it is within this time, ms. */
  readonly helloTimeoutMs: number;
  /** A client that has not read what waits for it (at most `maxBufferedBytes`) within this time is cut off, ms. */
  readonly drainTimeoutMs: number;
  /** Bytes that may wait for one client before a frame for it is refused. */
  readonly maxBufferedBytes: number;
  /** How far the clock in a proof of key possession may be from ours for it to take the place of any other connection of its device, ms. */
  readonly proofWindowMs: number;
}

const defaultEmbeddedBrokerLimits: EmbeddedBrokerLimits = {
  maxFrameBytes: 1 << 20,
  maxConnections: 10_000,
  helloTimeoutMs: 10_000,
  drainTimeoutMs: 60_000,
  maxBufferedBytes: 4 << 20,
  // All that a stolen proof gives is a connection on which nothing can be forged: the window is wide.
  proofWindowMs: 24 * 3_600_000,
};

/** One way in. */
export interface Listening {
  readonly kind: ListenerKind;
  readonly port: number;
}

export interface EmbeddedBroker extends Service {
  /** The port it listens on for MQTT on a socket, in the clear. @throws `closed` before start. */
  readonly port: number;
  /** Every way in, in the order in which a device should try them. Empty before start. */
  readonly listening: readonly Listening[];
  /** The coordinator's end, without a socket in between. Always the same one; it works while the broker runs. */
  link(): Link;
  /** Ends the connection of a device. */
  cut(device: PeerId): void;
  /** Open sockets, those that have not said who they are included. */
  readonly connections: number;
}

/** A packet that comes before anybody has shown who it is: a CONNECT with a proof and a last will needs less than half of this. */
const firstPacketBytes = packetOverheadBytes;

/** The same on a WebSocket, in frames of its own: masks, pings, a few bytes to a frame. */
const firstWebSocketBytes = 4 * firstPacketBytes;

/** Devices that are let in in one turn of the event loop: some 5 ms of work. */
const letInPerTurn = 8;

/** An MQTT 3.1.1 broker in this process, for devices: each is believed to be who its key says, and can use its own topics alone; and for {@link Readers}. */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): EmbeddedBroker {
  return new AedesBroker(options);
}

/** Connections that the kernel may hold until they are accepted: after a restart a whole fleet comes at once. */
const longestBacklog = 4096;

class AedesBroker implements EmbeddedBroker {
  readonly name = 'mqtt-broker';
  readonly #options: EmbeddedBrokerOptions;
  readonly #limits: EmbeddedBrokerLimits;
  readonly #prefix: string;
  readonly #link: BrokerLink;
  readonly #readers: Readers;
  readonly #isMember: (device: PeerId) => boolean;
  /** Streams that nobody on the network can listen to. */
  readonly #private = new WeakSet<Duplex>();
  readonly #sockets = new Set<Socket>();
  #aedes: Aedes | undefined;
  readonly #newcomers: Newcomers;
  readonly #servers = new Map<ListenerKind, Server>();
  /** One for all sockets, which are very many. */
  readonly #whenClosed = withThis((socket: Socket) => {
    this.#sockets.delete(socket);
    this.#newcomers.remove(socket);
  });
  #stopping: Promise<void> | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#limits = { ...defaultEmbeddedBrokerLimits, ...options.limits };
    this.#prefix = options.prefix ?? defaultTopicPrefix;
    const { clock, isMember = () => true, isReader = () => false } = options;
    this.#isMember = isMember;
    this.#link = new BrokerLink({ clock, prefix: this.#prefix, limits: this.#limits, isMember });
    this.#readers = new Readers({
      prefix: this.#prefix,
      accepts: isReader,
      isPrivate: (stream) => this.#private.has(stream),
    });
    this.#newcomers = new Newcomers(options.clock, {
      helloTimeoutMs: this.#limits.helloTimeoutMs,
      firstBytes: firstWebSocketBytes,
    });
  }

  get port(): number {
    const plain = this.listening.find(({ kind }) => kind === 'mqtt');
    if (!plain) throw new ShoalError('closed', 'the broker is not started');
    return plain.port;
  }

  get listening(): readonly Listening[] {
    return listenerKinds.flatMap((kind) => {
      const address = this.#servers.get(kind)?.address();
      return address && typeof address !== 'string' ? [{ kind, port: address.port }] : [];
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  link(): Link {
    return this.#link;
  }

  cut(device: PeerId): void {
    this.#link.cut(device);
  }

  /** @throws `conflict` when the port (and those after it that may be searched) is taken; `io.failed` when it cannot be had. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#aedes) throw new ShoalError('closed', 'the broker was started before');
    const aedes = await this.#createAedes();
    this.#aedes = aedes;
    const { port, also } = this.#options;
    try {
      for (const [kind, wanted] of Object.entries({ mqtt: port, ...also })) {
        await this.#open(kind as ListenerKind, wanted, aedes);
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#link.attach(aedes);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #createAedes(): Promise<Aedes> {
    const { logger, rules } = this.#options;
    const { helloTimeoutMs, drainTimeoutMs } = this.#limits;
    const aedes = await Aedes.createBroker({
      connectTimeout: helloTimeoutMs,
      drainTimeout: drainTimeoutMs,
      // Nobody here needs QoS 2; what of it waits for its second half is memory.
      maxInflightInbound: 4,
      maxTopicLevels: 16,
      // As many frames may wait as there are connections: in the link's queue, not in one of the broker's before it.
      concurrency: 0,
      ...(rules ?? this.#ownRules()),
    });
    aedes.on('clientReady', ({ conn }) => this.#newcomers.admit(conn));
    if (!rules) this.#makeLight(aedes);
    aedes.on('clientError', (client, error) =>
      logger.debug('connection ended', { client: client.id, why: error.message }),
    );
    aedes.on('connectionError', (_client, error) =>
      logger.debug('connection ended before it began', { why: error.message }),
    );
    return aedes;
  }

  #ownRules(): BrokerRules {
    const { clock, logger, importKey } = this.#options;
    const proofs = new KeyProofs(clock, {
      context: 'shoal-mqtt-v1',
      windowMs: this.#limits.proofWindowMs,
      mostRemembered: 100_000,
      ...(importKey && { importKey }),
    });
    const turnstile = new Turnstile(clock, letInPerTurn);
    const nobody = { mayPush: () => false, push: () => {} };
    const cameras = new CameraSenders({ prefix: this.#prefix, ...(this.#options.cameras ?? nobody) });
    return rulesOf({
      ...{ prefix: this.#prefix, proofs, logger, link: this.#link, readers: this.#readers, isMember: this.#isMember },
      cameras,
      onConnect: (client, goOn) => {
        this.#newcomers.heard(client.conn);
        // Nothing more is read of it meanwhile.
        (client as Pausable).pause();
        turnstile.enter(() => {
          if (!client.closed) goOn();
        });
      },
    });
  }

  /** The broker has rules of its own: what devices cannot do by them needs no room. */
  #makeLight(aedes: Aedes): void {
    const light = new LightClients();
    keepNoDownFilters(aedes, this.#prefix);
    aedes.on('subscribe', (_, client) => {
      if (roleOf(client.id) === 'device') light.lighten(client);
    });
  }

  async #open(kind: ListenerKind, port: number, aedes: Aedes): Promise<void> {
    const { tls, logger } = this.#options;
    const { maxConnections, maxFrameBytes } = this.#limits;
    const laterBytes = maxFrameBytes + packetOverheadBytes;
    const isSecure = kind === 'mqtts' || kind === 'wss';
    const begin = layersOf(kind, {
      tls,
      mostMessageBytes: laterBytes,
      upgrade: (below, socket) => this.#newcomers.limit(below, socket),
      accept: (stream, socket) => {
        this.#newcomers.begin(stream, socket);
        if (isSecure || isLoopback(socket)) this.#private.add(stream);
        guardPackets(stream, { firstBytes: firstPacketBytes, laterBytes });
        aedes.handle(stream);
      },
    });
    const server = createServer({ noDelay: true }, (socket) => {
      if (this.#sockets.size >= maxConnections) {
        logger.warn('connection refused: too many', { limit: maxConnections });
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on('close', this.#whenClosed);
      this.#newcomers.add(socket);
      begin(socket);
    });
    this.#servers.set(kind, server);
    await this.#listen(server, kind, port);
    server.on('error', (error) => logger.error('the broker cannot accept', { kind, error: error.message }));
  }

  async #listen(server: Server, kind: ListenerKind, port: number): Promise<void> {
    const { host } = this.#options;
    const portSearch = kind === 'mqtt' ? (this.#options.portSearch ?? 0) : 0;
    const last = port === 0 ? port : Math.min(port + portSearch, 65_535);
    for (let candidate = port; ; candidate++) {
      try {
        await listenOn(server, host, candidate);
        return;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRINUSE') {
          throw new ShoalError('io.failed', `the MQTT broker cannot listen on ${host}:${candidate}: ${message}`, {
            host,
            port: candidate,
          });
        }
        if (candidate >= last) {
          const range = last > port ? `${port} to ${last} are` : `${port} is`;
          throw new ShoalError(
            'conflict',
            `${kind.toUpperCase()} port ${range} taken on ${host}: choose another one (0 for any free port)`,
            { host, port, kind },
          );
        }
      }
    }
  }

  async #stop(): Promise<void> {
    this.#link.detach();
    const closed = Promise.all(
      [...this.#servers.values()]
        .filter(({ listening }) => listening)
        .map((server) => new Promise((resolve) => server.close(resolve))),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#aedes) this.#aedes.close(resolve);
    else resolve();
    await promise;
    // Those that never said CONNECT are not known to aedes.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function isLoopback({ remoteAddress = '' }: Socket): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
}

/** Aedes resumes it once its device is let in. */
type Pausable = Client & { pause(): void };

function withThis<This>(call: (self: This) => void): (this: This) => void {
  return function () {
    call(this);
  };
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: longestBacklog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
