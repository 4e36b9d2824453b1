/** What the `coap` package keeps of a message that it sent: the datagram, and what sends it again. */
export interface SentDatagram extends Buffer {
  sender?: { reset(): void } | undefined;
}

/**
 * Stands in for the package's cache of what it sent, which holds 32 MiB of datagrams, whatever hangs on each of them, for four minutes, and forgets a
 * message that waits for its acknowledgement when many others were sent since. Here replies are kept for a repeated request up to a number, and
 * what waits for an acknowledgement until somebody takes it out.
 */
export class ReplyStore {
  readonly #mostReplies: number;
  readonly #replies = new Map<string, SentDatagram>();
  readonly #waiting = new Map<string, SentDatagram>();

  constructor(mostReplies: number) {
    this.#mostReplies = mostReplies;
  }

  get size(): number {
    return this.#replies.size + this.#waiting.size;
  }

  peek(key: string): SentDatagram | undefined {
    return this.#waiting.get(key) ?? this.#replies.get(key);
  }

  set(key: string, sent: SentDatagram): void {
    if (isConfirmable(sent)) {
      this.#waiting.set(key, sent);
      return;
    }
    // It would keep a timer for each reply that nothing follows from, and all that hangs on it.
    queueMicrotask(() => {
      sent.sender?.reset();
      sent.sender = undefined;
    });
    this.#replies.delete(key);
    this.#replies.set(key, sent);
    if (this.#replies.size <= this.#mostReplies) return;
    for (const oldest of this.#replies.keys()) {
      this.#replies.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#waiting.get(key)?.sender?.reset();
    this.#waiting.delete(key);
    this.#replies.delete(key);
  }

  clear(): void {
    for (const { sender } of this.#waiting.values()) sender?.reset();
    this.#waiting.clear();
    this.#replies.clear();
  }

  /** The package calls it now and then. What is too old goes when newer comes. */
  purgeStale(): void {}
}

/** Type 0 (RFC 7252 §3). */
function isConfirmable(datagram: Buffer): boolean {
  return ((datagram[0] ?? 0) & 0x30) === 0;
}
