import { equalBytes } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { type PeerId, peerIdOf } from '../identity/index.ts';
import type { DialTarget, FrameStream, Libp2pNode } from '../link/libp2p/index.ts';
import type { Clock, Logger } from '../runtime/index.ts';
import type { BlockChannel, BlockPeers, BlockPeersListener } from './block-peers.ts';
import { type FleetCheck, introduce, receive } from './introduction.ts';

const blocksProtocol = '/shoal/blocks/2';
/** Files that one peer may fetch from here at a time. */
const maxStreamsPerPeer = 8;
/** A piece of at most 512 KiB, or a list of 8,192 hashes, and what is said around it. */
const maxFrameBytes = 600 * 1024;
/** Peers whose keys are remembered. */
const mostPeers = 256;

/** What is used of a node. */
type Node = Pick<Libp2pNode, 'handle' | 'open' | 'onFound' | 'publicKey'>;

export interface Libp2pBlockPeersDeps {
  /** The coordinator's raw key, 32 bytes: it holds no models, and is not asked. */
  readonly coordinator: Uint8Array;
  readonly fleet: FleetCheck;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The agents that a libp2p node knows of: those that mDNS found, those that asked something here, and those that it was told of. */
export class Libp2pBlockPeers implements BlockPeers {
  readonly #node: Node;
  readonly #deps: Libp2pBlockPeersDeps;
  readonly #known = new Map<PeerId, DialTarget>();
  readonly #listeners = new Set<BlockPeersListener>();

  constructor(node: Node, deps: Libp2pBlockPeersDeps) {
    this.#node = node;
    this.#deps = deps;
    node.onFound((publicKey) => this.add({ publicKey }));
    node.handle(blocksProtocol, (stream) => this.#onStream(stream), { maxStreamsPerPeer, maxFrameBytes });
  }

  idOf(publicKey: Uint8Array): PeerId {
    return peerIdOf('device', publicKey);
  }

  /** An agent that may be asked. */
  add(target: DialTarget): void {
    if ([this.#node.publicKey, this.#deps.coordinator].some((key) => equalBytes(key, target.publicKey))) return;
    const peer = this.idOf(target.publicKey);
    const isNew = !this.#known.has(peer);
    if (isNew || target.addresses) this.#known.set(peer, target);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostPeers && oldest !== undefined) this.#known.delete(oldest);
    if (isNew) for (const listener of this.#listeners) listener.onPeer(peer);
  }

  connected(): readonly PeerId[] {
    return [...this.#known.keys()];
  }

  async open(peer: PeerId, signal: AbortSignal): Promise<BlockChannel> {
    const target = this.#known.get(peer);
    if (!target) throw new ShoalError('net.unreachable', `nobody has said where ${peer} is`);
    try {
      const stream = await this.#node.open(blocksProtocol, target, signal, { maxFrameBytes });
      return await introduce(stream, this.#deps.fleet, this.#deps.clock, signal);
    } catch (error) {
      // One that is gone takes no place; mDNS finds it again when it is back.
      if (!signal.aborted && !target.addresses) this.#known.delete(peer);
      throw error;
    }
  }

  subscribe(listener: BlockPeersListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #onStream(stream: FrameStream): void {
    const { fleet, clock, logger } = this.#deps;
    receive(stream, fleet, clock, {
      onChannel: (channel) => {
        this.add({ publicKey: stream.remote.publicKey });
        for (const listener of this.#listeners) listener.onChannel(channel);
      },
      onRefused: ({ code, message }) =>
        logger.debug('an agent is not talked to', { peer: stream.remote.id, code, why: message }),
    });
  }
}
