import { type BlockFile, layoutOf, type PieceLayout } from './block-file.ts';
import type { PieceList } from './piece-list.ts';
import { PieceSet } from './piece-set.ts';

/** Somebody who is sent pieces. */
export interface PieceReceiver {
  /** Whether it may still pass on what it was sent. */
  readonly isOpen: boolean;
}

interface LastSent {
  readonly to: PieceReceiver;
  readonly atMs: number;
}

export type Choice =
  | { readonly kind: 'piece'; readonly index: number }
  /** There will be something after this long, unless another has it first. */
  | { readonly kind: 'later'; readonly afterMs: number }
  | { readonly kind: 'nothing' };

/** What this device has of a file and lets others have, and what it has sent of it. */
export class SharedFile {
  readonly file: BlockFile;
  readonly layout: PieceLayout;
  /** Whether others are asked to take from each other what they can. */
  readonly sparing: boolean;
  #list: PieceList | undefined;
  #have: PieceSet;
  #isWhole = false;
  readonly #sent: Uint32Array;
  readonly #last: (LastSent | undefined)[] = [];
  readonly #listeners = new Set<() => void>();
  /** Behind the piece that was sent last: who is sent the next gets what lies there. From the beginning, so that it can be hashed as it comes. */
  #next = 0;

  constructor(file: BlockFile, options: { readonly sparing: boolean }) {
    this.file = file;
    this.layout = layoutOf(file.sizeBytes);
    this.sparing = options.sparing;
    this.#have = new PieceSet(this.layout.count);
    this.#sent = new Uint32Array(this.layout.count);
  }

  get list(): PieceList | undefined {
    return this.#list;
  }

  get have(): PieceSet {
    return this.#have;
  }

  /** Its SHA-256 was seen to be the right one. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Pieces sent so far, over how many the file has: 1 is one copy of it. */
  get copiesSent(): number {
    return this.#sent.reduce((sum, times) => sum + times, 0) / this.layout.count;
  }

  /** From now on these are its pieces, and none of them is here until it is said. */
  use(list: PieceList | undefined): void {
    this.#list = list;
    this.#have = new PieceSet(this.layout.count);
    this.#isWhole = false;
    this.#tell();
  }

  add(index: number): void {
    this.#have.add(index);
    this.#tell();
  }

  becomeWhole(): void {
    this.#have = PieceSet.all(this.layout.count);
    this.#isWhole = true;
    this.#tell();
  }

  /** Called when there is more of it. Returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The piece to send next: of those wanted, the one that was sent least often, so that askers get different ones and have something to give each other.
   * Who is sparing waits before it sends a piece again: the first who got it may pass it on.
   */
  choose(
    wanted: PieceSet,
    receiver: PieceReceiver,
    now: { readonly nowMs: number; readonly againAfterMs: number },
  ): Choice {
    const { count } = this.layout;
    const first = this.#next;
    let best: number | undefined;
    let waitMs = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count; step++) {
      const index = (first + step) % count;
      if (!wanted.has(index) || !this.#have.has(index)) continue;
      const heldBackMs = this.#heldBackMs(index, receiver, now);
      if (heldBackMs > 0) waitMs = Math.min(waitMs, heldBackMs);
      else if (best === undefined || this.#timesSent(index) < this.#timesSent(best)) best = index;
      if (best !== undefined && this.#timesSent(best) === 0) break;
    }
    if (best !== undefined) return { kind: 'piece', index: best };
    return Number.isFinite(waitMs) ? { kind: 'later', afterMs: waitMs } : { kind: 'nothing' };
  }

  sent(index: number, to: PieceReceiver, atMs: number): void {
    this.#sent[index] = this.#timesSent(index) + 1;
    this.#last[index] = { to, atMs };
    this.#next = (index + 1) % this.layout.count;
  }

  #timesSent(index: number): number {
    return this.#sent[index] ?? 0;
  }

  #heldBackMs(
    index: number,
    receiver: PieceReceiver,
    { nowMs, againAfterMs }: { readonly nowMs: number; readonly againAfterMs: number },
  ): number {
    const last = this.#last[index];
    if (!this.sparing || !last?.to.isOpen || last.to === receiver) return 0;
    return last.atMs + againAfterMs - nowMs;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
