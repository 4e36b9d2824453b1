import type { PeerId as Libp2pPeerId, PeerDiscovery } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import type { Multiaddr } from '@multiformats/multiaddr';

/** Peers of this network that are remembered, and addresses of each. */
const maxPeers = 256;
const maxAddresses = 8;

export interface NearbyOptions {
  /** How often is asked who is there, ms. */
  readonly intervalMs: number;
  /** Whether this node answers who asks; one that cannot be dialled has nothing to answer. */
  readonly answers: boolean;
  /** Left out: 5353, as everybody's. */
  readonly port?: number | undefined;
}

/** Where a peer of this network says that it is. Nobody signed it: who is dialled there proves its key, or is not talked to. */
export type FoundListener = (peer: Libp2pPeerId, addresses: readonly Multiaddr[]) => void;

/** Who else is on this network, by mDNS. Kept apart from libp2p's own book of peers, which has no limit. */
export class Nearby {
  readonly #options: NearbyOptions;
  readonly #found = new Map<string, readonly Multiaddr[]>();
  readonly #listeners = new Set<FoundListener>();

  constructor(options: NearbyOptions) {
    this.#options = options;
  }

  /** For the services of a libp2p node, which starts and stops it. */
  readonly service = (
    components: Parameters<ReturnType<typeof mdns>>[0],
  ): { start(): Promise<void>; stop(): Promise<void> } => {
    const { intervalMs, answers, port } = this.#options;
    const discovery = mdns({ interval: intervalMs, broadcast: answers, ...(port !== undefined && { port }) })(
      components,
    );
    const service = discovery as PeerDiscovery & { start(): Promise<void>; stop(): Promise<void> };
    service.addEventListener('peer', ({ detail }) => this.#add(detail.id, detail.multiaddrs));
    return { start: () => service.start(), stop: () => service.stop() };
  };

  addressesOf(peer: Libp2pPeerId): readonly Multiaddr[] {
    return this.#found.get(peer.toString()) ?? [];
  }

  subscribe(listener: FoundListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #add(peer: Libp2pPeerId, addresses: readonly Multiaddr[]): void {
    const key = peer.toString();
    const kept = addresses.slice(0, maxAddresses);
    this.#found.delete(key);
    this.#found.set(key, kept);
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= maxPeers) break;
      this.#found.delete(oldest);
    }
    for (const listener of this.#listeners) listener(peer, kept);
  }
}
