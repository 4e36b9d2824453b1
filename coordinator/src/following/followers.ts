import { BoundedQueue, ShoalError } from '@shoal/protocol';

/** What waits for one slow reader; then the oldest goes. */
const waitingLimit = 1_000;
const mostFollowers = 10_000;

/** Those who want to hear of each new item, and what each of them has not taken yet. */
export class Followers<Item> {
  readonly #name: string;
  readonly #tellEach = new Set<(item: Item) => void>();

  /** What is followed, in the plural, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  tell(item: Item): void {
    for (const tell of this.#tellEach) tell(item);
  }

  /** Items from now on, until the signal is aborted. A slow reader loses the oldest. @throws `queue.full` */
  async *follow(wants: (item: Item) => boolean, signal: AbortSignal): AsyncIterable<Item> {
    if (this.#tellEach.size >= mostFollowers)
      throw new ShoalError('queue.full', `${mostFollowers} already follow the ${this.#name}`);
    const queue = new BoundedQueue<Item>({ name: this.#name, limit: waitingLimit, overflow: 'drop-oldest' });
    const tell = (item: Item) => {
      if (wants(item)) queue.push(item);
    };
    const end = () => queue.close();
    this.#tellEach.add(tell);
    signal.addEventListener('abort', end, { once: true });
    try {
      while (!signal.aborted) {
        const next = await queue.take();
        if (!next || signal.aborted) return;
        yield next;
      }
    } finally {
      this.#tellEach.delete(tell);
      signal.removeEventListener('abort', end);
    }
  }
}
