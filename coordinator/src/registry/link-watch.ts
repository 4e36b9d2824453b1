import { quantile } from '@shoal/protocol';

/** Exchanges that are remembered. */
const remembered = 32;
/** Of them, the round trip is what so many are not quicker than: what takes longer waited for something else. */
const quickest = 0.1;
/** An offer with no more bytes than this takes a round trip and nothing else. */
const mostBytesOfNone = 1_024;
/** A transfer that is quicker tells nothing, ms. */
const leastMs = 1;
/** How much the newest transfer weighs. */
const newestWeight = 0.2;

/** What the link of a device takes, learned from what is exchanged with it anyway. */
export class LinkWatch {
  /** There and back, ms; `undefined`: not known yet. */
  rttMs: number | undefined;
  /** `undefined`: not known yet. */
  bytesPerMs: number | undefined;
  readonly #tripsMs: number[] = [];
  #next = 0;

  /**
   * An offer was answered. An agent answers at once: what it took was the way there and back, and that of the bytes that went along.
   * @param alone nothing else was under way to the device.
   */
  answered(bytes: number, tookMs: number, alone: boolean): void {
    if (bytes > mostBytesOfNone) {
      if (alone) this.transferred(bytes, tookMs - (this.rttMs ?? 0));
      return;
    }
    this.#tripsMs[this.#next] = tookMs;
    this.#next = (this.#next + 1) % remembered;
    this.rttMs = quantile(this.#tripsMs, quickest);
  }

  /** So many bytes took so long. */
  transferred(bytes: number, ms: number): void {
    if (ms < leastMs || bytes === 0) return;
    const rate = bytes / ms;
    this.bytesPerMs = this.bytesPerMs === undefined ? rate : this.bytesPerMs + newestWeight * (rate - this.bytesPerMs);
  }
}
