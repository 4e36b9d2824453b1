import type { ShoalError } from '../errors/index.ts';
import type { PeerId } from '../identity/index.ts';

/** One conversation with another agent about one file: frames in both directions, each whole, in order, none lost while it lasts. */
export interface BlockChannel {
  /** Who is at the other end, as the transport has authenticated. */
  readonly peer: PeerId;
  /** To be called once, in the turn in which the channel is handed over. */
  listen(listener: BlockChannelListener): void;
  /**
   * Resolves when the transport has room for more.
   * @throws `net.unreachable` when the channel has ended; the signal's reason.
   */
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** The same for a frame in parts that nobody changes any more. */
  sendParts(head: Uint8Array, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void>;
  /** Ends it, at both ends. */
  close(): void;
}

export interface BlockChannelListener {
  /** A frame, in one part or several. */
  onFrame(parts: readonly Uint8Array[]): void;
  /** Once, whoever ended it. */
  onEnd(why: ShoalError): void;
}

/** The other agents of the fleet that can be talked to. */
export interface BlockPeers {
  /** Those that are connected now. */
  connected(): readonly PeerId[];
  /** @throws `net.unreachable`, `timeout`, the signal's reason */
  open(peer: PeerId, signal: AbortSignal): Promise<BlockChannel>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: BlockPeersListener): () => void;
}

export interface BlockPeersListener {
  /** Another agent has opened a channel. */
  onChannel(channel: BlockChannel): void;
  /** Another agent is connected now. */
  onPeer(peer: PeerId): void;
}
