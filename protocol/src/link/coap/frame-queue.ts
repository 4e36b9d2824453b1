import { ShoalError } from '../../errors/index.ts';

export interface FrameQueueLimits {
  /** Bytes that may wait before a further frame is refused. Where nothing waits, anything is taken. */
  readonly maxBufferedBytes: number;
}

export interface WaitingFrame {
  readonly bytes: Uint8Array;
}

interface Entry extends WaitingFrame {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** As long as no more waits than this, a sender goes on at once, bytes: as with the buffer of a socket. */
const freeBytes = 16 << 10;

/** Frames on their way to one peer, in order. The first one is the one that is being carried over. */
export class FrameQueue {
  readonly #limits: FrameQueueLimits;
  readonly #entries: Entry[] = [];
  #bytes = 0;

  constructor(limits: FrameQueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.length;
  }

  get first(): WaitingFrame | undefined {
    return this.#entries[0];
  }

  /**
   * Resolves at once while little waits, otherwise when the frame has been carried over.
   * @throws `queue.full`; the signal's reason when aborted while waiting, and the frame does not leave unless it has begun to.
   */
  add(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#bytes > 0 && this.#bytes + frame.length > this.#limits.maxBufferedBytes) {
      return Promise.reject(
        new ShoalError('queue.full', 'the other end takes frames too slowly', { waitingBytes: this.#bytes }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The sender may use its buffer again.
    const entry = { bytes: Buffer.from(frame), resolve, reject };
    this.#entries.push(entry);
    this.#bytes += frame.length;
    if (this.#bytes <= freeBytes) {
      resolve();
      return promise;
    }
    if (!signal) return promise;
    const onAbort = () => {
      const at = this.#entries.indexOf(entry);
      if (at > 0) {
        this.#entries.splice(at, 1);
        this.#bytes -= frame.length;
      }
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** The first one has been carried over. */
  carried(): void {
    const entry = this.#entries.shift();
    if (!entry) return;
    this.#bytes -= entry.bytes.length;
    entry.resolve();
  }

  /** There is no way to the peer any more. */
  fail(error: ShoalError): void {
    for (const { reject } of this.#entries.splice(0)) reject(error);
    this.#bytes = 0;
  }
}
