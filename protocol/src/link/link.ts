import type { PeerId } from '../identity/index.ts';
import type { Service } from '../runtime/index.ts';

export type LinkKind = 'memory' | 'mqtt' | 'coap' | 'libp2p';

/** What a kind of link guarantees. Whatever it does not is made good once, above it, by the messenger. */
export interface LinkTraits {
  /** Largest frame that {@link Link.send} takes, bytes. */
  readonly maxFrameBytes: number;
  /** A frame that `send` resolved for arrives, unless the connection breaks. */
  readonly reliable: boolean;
  /** Frames from one peer arrive in the order in which they were sent. */
  readonly ordered: boolean;
  /** Both ends can send at any time. */
  readonly duplex: boolean;
}

/**
 * Moves frames of bytes between devices and their coordinator, and knows nothing of what is in them. The same interface on both ends: a
 * device has one peer, the coordinator has many.
 *
 * A frame is handed to listeners as it came: it may be forged, doubled or out of order, and `from` is only what the transport claims.
 */
export interface Link extends Service {
  readonly kind: LinkKind;
  readonly traits: LinkTraits;
  /**
   * Resolves when the transport has taken the frame, not when it has arrived.
   * @throws `message.too-large` above `maxFrameBytes`; `net.unreachable` while there is no connection; `queue.full` when the peer reads too
   * slowly; `closed` before start and after stop; the signal's reason when aborted.
   * @param asks whether the peer answers what is in it: who chooses among several links learns from silence. Left out: it does
   */
  send(to: PeerId, frame: Uint8Array, signal?: AbortSignal, asks?: boolean): Promise<void>;
  /**
   * Says what this peer can do to whom it concerns, an encoded `Capability`; only where the transport has a way to. A hint: it may be late, doubled or lost,
   * and decides nothing.
   */
  advertise?(capability: Uint8Array): void;
  /** Returns a function that ends the subscription. */
  subscribe(listener: LinkListener): () => void;
}

export interface LinkListener {
  onFrame(frame: Uint8Array, from: PeerId): void;
  /** The transport noticed that a peer can or cannot be reached now. A hint: nobody signed it. */
  onPeer?(peer: PeerId, reachable: boolean): void;
  /** A peer has said what it can do: see {@link Link.advertise}. */
  onAdvert?(peer: PeerId, capability: Uint8Array): void;
}
