import type { PeerId } from '../identity/index.ts';

/**
 * What must survive a restart so that no sequence is used twice and none is believed twice. Adapters: SQLite in agent and
 * coordinator, memory in tests and the simulator.
 */
export interface SequenceStore {
  /** Durably sets `count` sequences aside for this sender and returns the first. They are never given out again. */
  reserve(count: number): Promise<number>;
  /** Highest sequence that was accepted from a peer; 0 for none. */
  lastReceived(sender: PeerId): number;
  /**
   * Remembers an accepted sequence. It becomes durable with (or before) whatever its messages make durable: what is forgotten in a
   * crash had no lasting effect, so accepting its replay once is the same as a late delivery.
   */
  recordReceived(sender: PeerId, sequence: number): void;
}

/** Sequences of this sender, reserved in blocks so that a durable write is rare. */
export class SequenceSource {
  readonly #store: SequenceStore;
  readonly #blockSize: number;
  #next = 0;
  #end = 0;
  #reserving: Promise<void> | undefined;

  constructor(store: SequenceStore, blockSize = 10_000) {
    this.#store = store;
    this.#blockSize = blockSize;
  }

  /**
   * The next sequence; waits for the store when the block is used up.
   * @throws what the store throws. Another call tries again.
   */
  async next(): Promise<number> {
    // Whoever waited may find the new block used up by the others who did.
    while (this.#next >= this.#end) await this.#reserve();
    return this.#next++;
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#reserveBlock().finally(() => {
      this.#reserving = undefined;
    });
    return this.#reserving;
  }

  async #reserveBlock(): Promise<void> {
    const first = await this.#store.reserve(this.#blockSize);
    this.#next = first;
    this.#end = first + this.#blockSize;
  }
}
