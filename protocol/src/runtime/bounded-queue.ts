import { ShoalError } from '../errors/index.ts';

/** What happens to a new item when the queue is full. */
export type OverflowPolicy = 'refuse' | 'drop-oldest';

export interface BoundedQueueOptions {
  /** For error messages and metrics. */
  readonly name: string;
  /** Most items held. At least 1. */
  readonly limit: number;
  readonly overflow: OverflowPolicy;
}

/** A first-in first-out queue that cannot grow past its limit, and counts what it had to drop. */
export class BoundedQueue<T> {
  readonly #options: BoundedQueueOptions;
  readonly #items: T[] = [];
  #head = 0;
  #dropped = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: BoundedQueueOptions) {
    if (!Number.isInteger(options.limit) || options.limit < 1) {
      throw new ShoalError(
        'defect',
        `queue ${options.name}: limit must be a whole number of at least 1, is ${options.limit}`,
      );
    }
    this.#options = options;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get limit(): number {
    return this.#options.limit;
  }

  /** Items given up so far because the queue was full (`drop-oldest` only). */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Adds an item. With `drop-oldest`, returns the item that had to go.
   * @throws `queue.full` when full under `refuse`; `closed` after {@link close}.
   */
  push(item: T): T | undefined {
    if (this.#closed) throw new ShoalError('closed', `queue ${this.#options.name} is closed`);
    let evicted: T | undefined;
    if (this.size >= this.#options.limit) {
      if (this.#options.overflow === 'refuse') {
        throw new ShoalError('queue.full', `queue ${this.#options.name} holds its limit of ${this.limit}`, {
          queue: this.#options.name,
          limit: this.limit,
        });
      }
      evicted = this.shift();
      this.#dropped += 1;
    }
    this.#items.push(item);
    this.#wake?.();
    return evicted;
  }

  /** The oldest item, which stays where it is. */
  peek(): T | undefined {
    return this.size === 0 ? undefined : this.#items[this.#head];
  }

  /** Takes the oldest item, or `undefined` when there is none. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined as T;
    this.#head += 1;
    // Amortised O(1): the dead front is cut off when it is half of the array.
    if (this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /**
   * Waits for an item. Resolves `undefined` when the queue is closed and empty; rejects with the signal's reason.
   * @throws `defect` when somebody waits already: one waiter at a time.
   */
  async take(signal?: AbortSignal): Promise<T | undefined> {
    while (this.size === 0) {
      if (this.#closed) return undefined;
      if (this.#wake) throw new ShoalError('defect', `queue ${this.#options.name} has a waiter already`);
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          this.#wake = undefined;
          reject(signal?.reason);
        };
        this.#wake = () => {
          this.#wake = undefined;
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    }
    return this.shift();
  }

  /** No more items are taken in; those held can still be taken out. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
