import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { BlockFile, PieceLayout } from './block-file.ts';
import { decodeReply, encodeRequest, encodeWanted, type HolderMessage, type Holdings } from './block-messages.ts';
import type { BlockChannel } from './block-peers.ts';
import { PieceSet } from './piece-set.ts';

/** Why a holder is not asked any more. Who lied is not believed again. */
export interface ConversationEnd {
  readonly kind: 'gone' | 'refused' | 'busy' | 'silent' | 'lied';
  readonly why: string;
}

export interface ConversationListener {
  onHoldings(): void;
  onList(hashes: Uint8Array): void;
  /** A piece that was ordered; nobody has looked at its bytes yet. */
  onPiece(index: number, bytes: readonly Uint8Array[]): void;
  /** Once. */
  onOver(end: ConversationEnd): void;
}

export interface ConversationOptions {
  /** Who has sent none of what was ordered after this long is late; after that long it is left, ms. */
  readonly lateMs: number;
  readonly silentMs: number;
}

const firstWindow = 8;
const smallestWindow = 4;
const largestWindow = 32;
/** So much of what a holder sends in a second is ordered ahead. */
const windowS = 0.5;

/** The asker's end of a channel with one holder: what it has, what was ordered, and whether it keeps to that. */
export class Conversation {
  readonly #channel: BlockChannel;
  readonly #layout: PieceLayout;
  readonly #clock: Clock;
  readonly #listener: ConversationListener;
  readonly #options: ConversationOptions;
  readonly #everOrdered: PieceSet;
  readonly #got: PieceSet;
  #holdings: Holdings | undefined;
  #ordered: PieceSet;
  #allowed = 0;
  #received = 0;
  #listAsked = false;
  #isOver = false;
  #heardMs: number;
  #window = firstWindow;
  #perSecond = 0;
  #sinceMeasured = 0;
  #sinceGrown = 0;
  #grownMs: number;

  constructor(
    channel: BlockChannel,
    file: BlockFile,
    layout: PieceLayout,
    deps: { readonly clock: Clock; readonly listener: ConversationListener },
    options: ConversationOptions,
  ) {
    this.#channel = channel;
    this.#layout = layout;
    this.#clock = deps.clock;
    this.#listener = deps.listener;
    this.#options = options;
    this.#everOrdered = new PieceSet(layout.count);
    this.#got = new PieceSet(layout.count);
    this.#ordered = new PieceSet(layout.count);
    this.#heardMs = deps.clock.monotonicMs();
    this.#grownMs = this.#heardMs;
    channel.listen({
      onFrame: (frame) => this.#onFrame(frame),
      onEnd: (why) => this.#over({ kind: 'gone', why: why.message }),
    });
    this.#say(encodeWanted(file));
  }

  get peer(): PeerId {
    return this.#channel.peer;
  }

  get holdings(): Holdings | undefined {
    return this.#holdings;
  }

  /** What is still to come of what was ordered last. */
  get ordered(): PieceSet {
    return this.#ordered;
  }

  get window(): number {
    return this.#window;
  }

  /** Something was asked for and has not come, since this many ms. */
  get silentMs(): number {
    const waits = this.#holdings === undefined || this.#listAsked || this.#ordered.size > 0;
    return waits ? this.#clock.monotonicMs() - this.#heardMs : 0;
  }

  get isLate(): boolean {
    return this.silentMs > this.#options.lateMs;
  }

  askForList(): void {
    this.#heard();
    this.#listAsked = true;
    this.#say(encodeRequest({ list: {} }));
  }

  /** Replaces what was ordered before. Says nothing where that changes nothing. */
  order(pieces: PieceSet): void {
    const allowed = Math.max(this.#allowed, this.#received + this.#window);
    const isLow = this.#allowed - this.#received < this.#window / 2;
    if (pieces.equals(this.#ordered) && !(isLow && pieces.size > 0)) return;
    // From now on it is its turn to say something.
    if (this.#ordered.size === 0) this.#heard();
    this.#ordered = pieces.copy();
    this.#allowed = allowed;
    for (const index of pieces) this.#everOrdered.add(index);
    this.#say(encodeRequest({ order: { pieces: pieces.toBytes(), allowed } }));
  }

  /** To be called every `elapsedMs`: how much is ordered ahead follows how fast it comes. Ends one that has been silent for too long. */
  measure(elapsedMs: number): void {
    this.#perSecond = (this.#perSecond + (this.#sinceMeasured * 1_000) / elapsedMs) / 2;
    this.#sinceMeasured = 0;
    this.#window = Math.min(largestWindow, Math.max(smallestWindow, Math.ceil(this.#perSecond * windowS)));
    if (this.silentMs > this.#options.silentMs)
      this.end({ kind: 'silent', why: 'it sends nothing of what was ordered' });
  }

  end(end: ConversationEnd): void {
    this.#over(end);
    this.#channel.close();
  }

  #onFrame(frame: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    let reply: HolderMessage;
    try {
      reply = decodeReply(frame, this.#layout);
    } catch (error) {
      this.end({ kind: 'lied', why: String(error) });
      return;
    }
    switch (reply.kind) {
      case 'holdings':
        this.#holdings = reply.holdings;
        this.#listener.onHoldings();
        break;
      case 'list':
        this.#onList(reply.hashes);
        break;
      case 'piece':
        this.#onPiece(reply.index, reply.bytes);
        break;
      case 'refusal':
        this.end({ kind: reply.code === 'queue.full' ? 'busy' : 'refused', why: reply.code });
    }
  }

  #onList(hashes: Uint8Array): void {
    if (!this.#listAsked) {
      this.end({ kind: 'lied', why: 'it sends a list that nobody asked for' });
      return;
    }
    this.#listAsked = false;
    this.#heard();
    this.#listener.onList(hashes);
  }

  #onPiece(index: number, bytes: readonly Uint8Array[]): void {
    if (!this.#everOrdered.has(index) || this.#got.has(index) || this.#received >= this.#allowed) {
      this.end({ kind: 'lied', why: 'it sends pieces that were not ordered' });
      return;
    }
    this.#heard();
    this.#received += 1;
    this.#sinceMeasured += 1;
    this.#growWindow();
    this.#got.add(index);
    this.#ordered.delete(index);
    this.#listener.onPiece(index, bytes);
  }

  /** A holder that sends all that is ordered ahead in less time than that is meant to last is not waited for until it is measured. */
  #growWindow(): void {
    this.#sinceGrown += 1;
    if (this.#sinceGrown < this.#window) return;
    const isFast = this.#heardMs - this.#grownMs < windowS * 1_000;
    if (isFast) this.#window = Math.min(largestWindow, 2 * this.#window);
    this.#sinceGrown = 0;
    this.#grownMs = this.#heardMs;
  }

  #heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  #say(frame: Uint8Array): void {
    this.#channel.send(frame).catch((error: unknown) => this.end({ kind: 'gone', why: String(error) }));
  }

  #over(end: ConversationEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onOver(end);
  }
}
