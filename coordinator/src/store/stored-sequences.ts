import type { PeerId, SequenceStore } from '@shoal/protocol';
import type { StoreWrite } from './store-write.ts';

type Received = Extract<StoreWrite, { kind: 'sequence-received' }>;

/**
 * The sequences of the coordinator and its devices, in memory while it runs. A block of own sequences is durable before one of it is used; a
 * received one is written with the next commit, so it is durable before anything that its message made durable.
 */
export class StoredSequences implements SequenceStore {
  readonly #received: Map<PeerId, number>;
  readonly #unwritten = new Set<PeerId>();
  readonly #reserve: (next: number) => Promise<void>;
  #next: number;

  constructor(
    stored: { readonly next: number; readonly received: ReadonlyMap<PeerId, number> },
    reserve: (next: number) => Promise<void>,
  ) {
    this.#next = stored.next;
    this.#received = new Map(stored.received);
    this.#reserve = reserve;
  }

  async reserve(count: number): Promise<number> {
    const first = this.#next;
    this.#next += count;
    // When the write fails the block is lost, not given out twice.
    await this.#reserve(this.#next);
    return first;
  }

  lastReceived(sender: PeerId): number {
    return this.#received.get(sender) ?? 0;
  }

  recordReceived(sender: PeerId, sequence: number): void {
    this.#received.set(sender, sequence);
    this.#unwritten.add(sender);
  }

  takeReceived(): readonly Received[] {
    if (this.#unwritten.size === 0) return [];
    const writes = Array.from(
      this.#unwritten,
      (sender): Received => ({ kind: 'sequence-received', sender, sequence: this.lastReceived(sender) }),
    );
    this.#unwritten.clear();
    return writes;
  }

  putBack(writes: readonly Received[]): void {
    for (const { sender } of writes) this.#unwritten.add(sender);
  }
}
