import type { SequenceStore } from '../envelope/index.ts';
import type { PeerId } from '../identity/index.ts';

/** Sequences that survive as long as this object does. */
export class MemorySequenceStore implements SequenceStore {
  #next = 1;
  readonly #received = new Map<PeerId, number>();

  async reserve(count: number): Promise<number> {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  lastReceived(sender: PeerId): number {
    return this.#received.get(sender) ?? 0;
  }

  recordReceived(sender: PeerId, sequence: number): void {
    this.#received.set(sender, sequence);
  }
}
