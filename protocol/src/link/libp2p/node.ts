import { autoNAT } from '@libp2p/autonat';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { identify, identifyPush } from '@libp2p/identify';
import type { Connection, Libp2p, PeerId as Libp2pPeerId, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { equalBytes } from '../../bytes/index.ts';
import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { Identity, PeerId } from '../../identity/index.ts';
import type { Clock, Logger, Service } from '../../runtime/index.ts';
import { type Libp2pAddress, multiaddrOf, readMultiaddrs } from './address.ts';
import { Adverts } from './adverts.ts';
import { FrameStream, type RemotePeer } from './frame-stream.ts';
import { Gate } from './gate.ts';
import { defaultLibp2pLimits, type Libp2pLimits } from './limits.ts';
import { Nearby } from './nearby.ts';
import { noiseCrypto } from './noise-crypto.ts';
import { idOfKey, libp2pKeyOf, libp2pPeerOf, publicKeyOf } from './peer-keys.ts';

export interface Libp2pNodeOptions {
  readonly identity: Identity;
  /** Raw Ed25519 key of the fleet's coordinator, 32 bytes: every other peer is a device. The coordinator's own node says its own. */
  readonly coordinator: Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where others may dial this node; port 0 takes a free one. Left out: nowhere, it is reached through the relay alone. */
  readonly listen?: Libp2pAddress | undefined;
  /** Whether a peer has joined the fleet, asked anew each time; who has not gets little. Left out: all have. */
  readonly isMember?: ((peer: PeerId) => boolean) | undefined;
  /** Find and be found on this network; `port` other than 5353 only where it must not be everybody's. */
  readonly mdns?: { readonly port?: number } | false;
  readonly limits?: Partial<Libp2pLimits>;
}

/** Whom to open a stream to: the key says who it must be, the addresses where it may be. */
export interface DialTarget {
  /** Raw Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * Multiaddrs, as {@link Libp2pNode.addresses} of the other names them. Those that mDNS found, and the way through the coordinator's relay, are
   * tried as well.
   */
  readonly addresses?: readonly string[];
}

export interface ProtocolOptions {
  /** Streams of this protocol that one peer may have open to us. Default 4. */
  readonly maxStreamsPerPeer?: number;
  /** Largest frame that is taken. Default: the link's, and less from strangers. */
  readonly maxFrameBytes?: number;
}

/**
 * A peer of the fleet on libp2p: TCP, Noise, Yamux; mDNS on the LAN; the coordinator is relay for the devices, which punch holes through NATs.
 * The link is one protocol on it; others are added with {@link handle}.
 */
export class Libp2pNode implements Service {
  readonly name: string;
  readonly limits: Libp2pLimits;
  readonly #options: Libp2pNodeOptions;
  readonly #gate: Gate;
  readonly #adverts: Adverts;
  readonly #nearby: Nearby | undefined;
  readonly #isCoordinator: boolean;
  readonly #protocols = new Map<string, () => Promise<void>>();
  #libp2p: Libp2p | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: Libp2pNodeOptions) {
    const { identity, coordinator, clock, listen, mdns = {} } = options;
    this.name = `libp2p-node ${identity.id}`;
    this.limits = { ...defaultLibp2pLimits, ...options.limits };
    this.#options = options;
    this.#isCoordinator = equalBytes(identity.publicKey, coordinator);
    const isMember = (peer: Libp2pPeerId) => this.#isMember(peer);
    this.#gate = new Gate({ clock, limits: this.limits, isMember });
    this.#adverts = new Adverts({ hears: this.#isCoordinator, maxBytes: this.limits.maxAdvertBytes, isMember });
    if (mdns) {
      this.#nearby = new Nearby({ intervalMs: this.limits.mdnsMs, answers: listen !== undefined, port: mdns.port });
    }
  }

  /** Raw Ed25519 key of this node, 32 bytes. */
  get publicKey(): Uint8Array {
    return this.#options.identity.publicKey;
  }

  /** Where this node can be dialled now, as multiaddrs that end with its peer id. Empty before start. */
  get addresses(): readonly string[] {
    return this.#libp2p?.getMultiaddrs().map(String) ?? [];
  }

  /** The port that it listens on; `undefined` when it does not. */
  get port(): number | undefined {
    const direct = this.#libp2p?.getMultiaddrs().find((address) => !address.toString().includes('/p2p-circuit'));
    return direct && Number(direct.getComponents().find(({ name }) => name === 'tcp')?.value);
  }

  get counts(): { readonly connections: number; readonly handshakes: number; readonly strangers: number } {
    return { connections: this.#libp2p?.getConnections().length ?? 0, ...this.#gate.counts };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#stopping !== undefined) throw new ShoalError('closed', `${this.name} was stopped`);
    const libp2p = await this.#create();
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail));
    this.#libp2p = libp2p;
    try {
      for (const register of this.#protocols.values()) await register();
      await libp2p.start();
      this.#adverts.started();
    } catch (cause) {
      throw this.#cannotListen(cause as Error);
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#gate.stop();
    await this.#libp2p?.stop();
    this.#gate.stop();
  }

  /**
   * Answers streams of a protocol (`/shoal/NAME/1`). `onStream` listens to the stream in the turn in which it is called. May be called before start
   * and after it, once for each protocol.
   */
  handle(protocol: string, onStream: (stream: FrameStream) => void, options: ProtocolOptions = {}): void {
    const { maxStreamsPerPeer = 4 } = options;
    const register = async () =>
      this.#libp2p?.handle(
        protocol,
        (stream, connection) => {
          const wrapped = this.#wrap(stream, connection, options.maxFrameBytes);
          if (wrapped) onStream(wrapped);
          else stream.abort(new ShoalError('auth.forbidden', 'a peer of this fleet has an Ed25519 key'));
        },
        // A relayed connection is as good as another, and Noise runs through it from end to end.
        { maxInboundStreams: maxStreamsPerPeer, runOnLimitedConnection: true },
      );
    this.#protocols.set(protocol, register);
    if (this.#libp2p)
      register().catch((error) => this.#options.logger.error('libp2p: a protocol', { why: String(error) }));
  }

  /**
   * Opens a stream, over the connection that there is or a new one. Keep it: opening one costs ten times what a round trip over it does.
   * @throws `net.unreachable`, the signal's reason.
   */
  async open(
    protocol: string,
    target: DialTarget,
    signal?: AbortSignal,
    options: ProtocolOptions = {},
  ): Promise<FrameStream> {
    const libp2p = this.#libp2p;
    if (!libp2p || this.#stopping !== undefined) throw new ShoalError('closed', `${this.name} is not started`);
    const peer = libp2pPeerOf(target.publicKey);
    const late = new AbortController();
    const cancel = this.#options.clock.after('libp2p: dial', this.limits.dialTimeoutMs, () =>
      late.abort(new ShoalError('timeout', 'it does not answer')),
    );
    const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
    try {
      const connection = await this.#connect(libp2p, peer, target, either);
      const stream = await connection.newStream(protocol, {
        signal: either,
        runOnLimitedConnection: true,
        maxOutboundStreams: this.limits.maxStreamsPerConnection,
      });
      const wrapped = this.#wrap(stream, connection, options.maxFrameBytes);
      if (wrapped) return wrapped;
      throw new ShoalError('defect', 'who was dialled has another key');
    } catch (error) {
      signal?.throwIfAborted();
      if (this.#stopping !== undefined) throw new ShoalError('closed', `${this.name} was stopped`);
      const { code } = asShoalError(error);
      const known = code === 'timeout' ? code : 'net.unreachable';
      const id = idOfKey(target.publicKey, this.#options.coordinator);
      throw new ShoalError(
        known,
        `cannot reach ${id} over libp2p: ${firstWords(error)}`,
        { peer: id },
        { cause: error },
      );
    } finally {
      cancel();
    }
  }

  /** Tells of a peer that mDNS found, each time that it answers; returns how to end that. */
  onFound(listener: (publicKey: Uint8Array) => void): () => void {
    const end = this.#nearby?.subscribe((peer) => {
      const key = publicKeyOf(peer);
      if (key) listener(key);
    });
    return end ?? (() => {});
  }

  /** Says to the coordinator what this device can do, now and to one that comes later. A hint that may be lost; at most `maxAdvertBytes`. */
  advertise(advert: Uint8Array): void {
    if (advert.length <= this.limits.maxAdvertBytes) this.#adverts.advertise(advert);
  }

  /** Tells the coordinator's node what a device has said of itself; its signature fits. Returns how to end that. */
  onAdvert(listener: (peer: PeerId, advert: Uint8Array) => void): () => void {
    return this.#adverts.subscribe((peer, advert) => {
      const key = publicKeyOf(peer);
      if (key) listener(idOfKey(key, this.#options.coordinator), advert);
    });
  }

  /** To be called after something was said to a peer, which may have made it a member. */
  heard(publicKey: Uint8Array): void {
    this.#gate.heard(publicKey);
  }

  /** Ends every connection with a peer, now: it is no longer one of the fleet. */
  cut(peer: PeerId): void {
    const why = new ShoalError('device.revoked', 'it is no longer of this fleet');
    for (const connection of this.#libp2p?.getConnections() ?? []) {
      const key = publicKeyOf(connection.remotePeer);
      if (key && idOfKey(key, this.#options.coordinator) === peer) connection.abort(why);
    }
  }

  #connect(libp2p: Libp2p, peer: Libp2pPeerId, target: DialTarget, signal: AbortSignal): Promise<Connection> {
    const open = libp2p.getConnections(peer).filter(({ status }) => status === 'open');
    const best = open.find(({ limits }) => limits === undefined) ?? open[0];
    if (best) return Promise.resolve(best);
    const places = this.#places(peer, target);
    if (places.length === 0) throw new ShoalError('net.unreachable', 'nobody has said where it is');
    return libp2p.dial(places, { signal });
  }

  #places(peer: Libp2pPeerId, target: DialTarget): Multiaddr[] {
    const named = readMultiaddrs(target.addresses ?? []);
    const found = this.#nearby?.addressesOf(peer) ?? [];
    const relayed = this.#relayedPlace(peer);
    // The key decides: an address of somebody else's node is no way to this peer.
    const all = [...named, ...found].map((place) => `${String(place).replace(/\/p2p\/[^/]+$/, '')}/p2p/${peer}`);
    return [...new Set([...all, ...(relayed ? [relayed] : [])])].map((place) => multiaddr(place));
  }

  /** Through the coordinator, for one device that wants to reach another. */
  #relayedPlace(peer: Libp2pPeerId): string | undefined {
    if (this.#isCoordinator) return undefined;
    const coordinator = libp2pPeerOf(this.#options.coordinator);
    if (coordinator.equals(peer)) return undefined;
    const [connection] = this.#libp2p?.getConnections(coordinator) ?? [];
    if (!connection) return undefined;
    const place = String(connection.remoteAddr).replace(/\/p2p\/[^/]+$/, '');
    return `${place}/p2p/${coordinator}/p2p-circuit/p2p/${peer}`;
  }

  #wrap(stream: Stream, connection: Connection, maxFrameBytes?: number): FrameStream | undefined {
    const publicKey = publicKeyOf(connection.remotePeer);
    if (!publicKey) return undefined;
    const remote: RemotePeer = {
      id: idOfKey(publicKey, this.#options.coordinator),
      publicKey,
      relayed: connection.limits !== undefined,
    };
    const { clock, isMember = () => true } = this.#options;
    const { limits } = this;
    const frameBytes = () => (isMember(remote.id) ? limits.maxFrameBytes : limits.strangerFrameBytes);
    return new FrameStream(clock, stream, remote, {
      ...limits,
      maxFrameBytes: maxFrameBytes === undefined ? frameBytes : () => maxFrameBytes,
    });
  }

  #cannotListen(cause: Error): ShoalError {
    const { host, port } = this.#options.listen ?? {};
    if (!cause.message.includes('EADDRINUSE')) {
      return new ShoalError('io.failed', `libp2p cannot listen on ${host}:${port}: ${cause.message}`, {}, { cause });
    }
    const why = `port ${port} of ${host} is taken: libp2p cannot listen there`;
    return new ShoalError('conflict', why, { port: port ?? 0, kind: 'libp2p' }, { cause });
  }

  #forget(peer: Libp2pPeerId): void {
    // libp2p's book of peers has no limit, and anybody can have as many keys as they like.
    if (!this.#isMember(peer)) this.#libp2p?.peerStore.delete(peer).catch(() => {});
  }

  #isMember(peer: Libp2pPeerId): boolean {
    const key = publicKeyOf(peer);
    if (!key) return false;
    const { coordinator, isMember = () => true } = this.#options;
    return isMember(idOfKey(key, coordinator));
  }

  #create(): Promise<Libp2p> {
    const { identity, listen, logger } = this.#options;
    const { limits } = this;
    const nearby = this.#nearby;
    const listenOn = listen ? [multiaddrOf(listen).toString()] : [];
    const relay = circuitRelayServer({
      maxInboundHopStreams: limits.maxReservations,
      maxOutboundHopStreams: limits.maxReservations,
      maxOutboundStopStreams: limits.maxReservations,
      reservations: {
        maxReservations: limits.maxReservations,
        defaultDurationLimit: limits.relayedMs,
        defaultDataLimit: limits.relayedBytes,
      },
    });
    return createLibp2p({
      privateKey: libp2pKeyOf(identity),
      start: false,
      addresses: { listen: this.#isCoordinator ? listenOn : [...listenOn, '/p2p-circuit'] },
      transports: [
        tcp({ maxConnections: limits.maxConnections + limits.maxHandshakes }),
        ...(this.#isCoordinator ? [] : [circuitRelayTransport()]),
      ],
      connectionEncrypters: [noise({ crypto: noiseCrypto })],
      streamMuxers: [
        yamux({
          maxInboundStreams: limits.maxStreamsPerConnection,
          maxOutboundStreams: limits.maxStreamsPerConnection,
          // What a stream may send before we read on fits what is kept of a stream that is paused.
          streamOptions: { maxStreamWindowSize: 2 << 20, maxReadBufferLength: 4 << 20 },
        }),
      ],
      connectionGater: this.#gate,
      connectionManager: {
        maxConnections: limits.maxConnections,
        maxIncomingPendingConnections: limits.maxHandshakes,
        inboundConnectionThreshold: limits.newConnectionsPerHost,
        inboundUpgradeTimeout: limits.handshakeTimeoutMs,
        // Who connects again is decided above, by who keeps a stream open.
        reconnectRetries: 0,
      },
      connectionMonitor: { pingInterval: limits.pingMs },
      services: {
        identify: identify(),
        identifyPush: identifyPush(),
        ping: ping(),
        autoNAT: autoNAT(),
        adverts: this.#adverts.service,
        ...(this.#isCoordinator && { relay }),
        ...(!this.#isCoordinator && { dcutr: dcutr() }),
        ...(nearby && { nearby: nearby.service }),
      },
    }).catch((cause: unknown) => {
      logger.error('libp2p cannot be made', { why: String(cause) });
      throw asShoalError(cause);
    });
  }
}

/** libp2p reports each address that it tried; the first says enough. */
function firstWords(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message || first.name : String(first);
}
