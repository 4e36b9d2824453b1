import type { PeerId } from '../identity/index.ts';
import type { LinkListener } from './link.ts';

/** The subscribers of one link, for its adapters. */
export class LinkListeners {
  readonly #listeners = new Set<LinkListener>();

  add(listener: LinkListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  frame(frame: Uint8Array, from: PeerId): void {
    for (const listener of this.#listeners) listener.onFrame(frame, from);
  }

  peer(peer: PeerId, reachable: boolean): void {
    for (const listener of this.#listeners) listener.onPeer?.(peer, reachable);
  }

  advert(peer: PeerId, capability: Uint8Array): void {
    for (const listener of this.#listeners) listener.onAdvert?.(peer, capability);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
