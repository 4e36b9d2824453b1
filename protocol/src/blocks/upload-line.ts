import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { Choice } from './shared-file.ts';

export interface UploadLimits {
  /** Bytes that are sent in a second to all others together; `Infinity`: as many as can be. */
  readonly bytesPerSecond: number;
  /** Pieces that are on their way at once, to different channels. */
  readonly atOnce: number;
}

/** One who is sent pieces of one file. */
export interface Upload {
  readonly peer: PeerId;
  /** What it is to be sent now. */
  choose(): Choice;
  /** Sends it; resolves when the transport has room for more, never rejects. */
  send(index: number): Promise<void>;
  /** Length of a piece, bytes. */
  lengthOf(index: number): number;
}

/** How long may be sent at full speed after a pause, in seconds of the limit. */
const burstS = 0.25;
const leastBurstBytes = 64 * 1024;

/**
 * Who is sent the next piece: within the limits, the one whose device has been sent least. A device that opens many channels gets no more than one that
 * opens one.
 */
export class UploadLine {
  readonly #clock: Clock;
  readonly #limits: UploadLimits;
  readonly #uploads = new Set<Upload>();
  readonly #sending = new Set<Upload>();
  /** Bytes for each device that has an upload here; who comes later starts where the least served is. */
  readonly #served = new Map<PeerId, number>();
  readonly #burstBytes: number;
  #credit: number;
  #creditAtMs: number;
  #cancelTimer = () => {};

  constructor(clock: Clock, limits: UploadLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#burstBytes = Math.max(leastBurstBytes, limits.bytesPerSecond * burstS);
    this.#credit = this.#burstBytes;
    this.#creditAtMs = clock.monotonicMs();
  }

  join(upload: Upload): void {
    this.#uploads.add(upload);
    if (!this.#served.has(upload.peer)) {
      this.#served.set(upload.peer, this.#served.size === 0 ? 0 : Math.min(...this.#served.values()));
    }
    this.wake();
  }

  leave(upload: Upload): void {
    this.#uploads.delete(upload);
    if (![...this.#uploads].some(({ peer }) => peer === upload.peer)) this.#served.delete(upload.peer);
    // What it was sent may have been held back from others.
    this.wake();
  }

  /** To be called when there may be more to send. */
  wake(): void {
    this.#cancelTimer();
    while (this.#sending.size < this.#limits.atOnce) {
      const creditMs = this.#untilCredit();
      const turn = creditMs > 0 ? creditMs : this.#next();
      if (typeof turn === 'number') {
        this.#wakeAfter(turn);
        return;
      }
      this.#send(turn.upload, turn.index);
    }
  }

  stop(): void {
    this.#cancelTimer();
    this.#uploads.clear();
    this.#served.clear();
  }

  /** The upload whose turn it is, or ms until one may have something. */
  #next(): { readonly upload: Upload; readonly index: number } | number {
    const inTurn = [...this.#uploads]
      .filter((upload) => !this.#sending.has(upload))
      .sort((a, b) => this.#servedOf(a) - this.#servedOf(b));
    let waitMs = Number.POSITIVE_INFINITY;
    for (const upload of inTurn) {
      const choice = upload.choose();
      if (choice.kind === 'piece') return { upload, index: choice.index };
      if (choice.kind === 'later') waitMs = Math.min(waitMs, choice.afterMs);
    }
    return waitMs;
  }

  #send(upload: Upload, index: number): void {
    const bytes = upload.lengthOf(index);
    this.#served.set(upload.peer, this.#servedOf(upload) + bytes);
    this.#credit -= bytes;
    this.#sending.add(upload);
    void upload.send(index).then(() => {
      this.#sending.delete(upload);
      this.wake();
    });
  }

  #servedOf({ peer }: Upload): number {
    return this.#served.get(peer) ?? 0;
  }

  /** Ms until something may be sent. A piece is sent whole, and paid for afterwards. */
  #untilCredit(): number {
    const { bytesPerSecond } = this.#limits;
    if (bytesPerSecond === Number.POSITIVE_INFINITY) return 0;
    const nowMs = this.#clock.monotonicMs();
    this.#credit = Math.min(this.#burstBytes, this.#credit + ((nowMs - this.#creditAtMs) * bytesPerSecond) / 1_000);
    this.#creditAtMs = nowMs;
    return this.#credit > 0 ? 0 : Math.max(1, (-this.#credit * 1_000) / bytesPerSecond);
  }

  #wakeAfter(ms: number): void {
    if (!Number.isFinite(ms)) return;
    this.#cancelTimer = this.#clock.after('blocks: upload', ms, () => this.wake());
  }
}
