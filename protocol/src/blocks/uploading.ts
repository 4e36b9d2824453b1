import { asShoalError, type ErrorCode } from '../errors/index.ts';
import type { PeerId } from '../identity/index.ts';
import type { Clock, Logger } from '../runtime/index.ts';
import { decodeRequest, encodeReply, headOfPiece } from './block-messages.ts';
import type { BlockChannel } from './block-peers.ts';
import type { PieceList } from './piece-list.ts';
import { PieceSet } from './piece-set.ts';
import type { RecentPieces } from './recent-pieces.ts';
import type { Choice, PieceReceiver, SharedFile } from './shared-file.ts';
import type { Upload, UploadLine } from './upload-line.ts';

export interface UploadingOptions {
  /** How long a piece that another was sent is held back, ms. */
  readonly againAfterMs: number;
  /** An asker that has not read a piece after this long is left, ms. */
  readonly slowReaderMs: number;
  readonly onClose: () => void;
}

export interface UploadingDeps {
  readonly shared: SharedFile;
  readonly pieces: RecentPieces;
  readonly line: UploadLine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Times that an asker may have the list of pieces: it needs it once. */
const mostLists = 4;
/** Between one word about what is here and the next, ms. */
const holdingsPauseMs = 50;

/** The holder's end of a channel: says what is here, and sends what is ordered when its turn has come. */
export class Uploading implements Upload, PieceReceiver {
  readonly #channel: BlockChannel;
  readonly #deps: UploadingDeps;
  readonly #options: UploadingOptions;
  readonly #end = new AbortController();
  readonly #sentHere: PieceSet;
  readonly #unsubscribe: () => void;
  #wanted: PieceSet;
  #allowed = 0;
  #listsSent = 0;
  #list: PieceList | undefined;
  #saying = false;
  #moreToSay = false;
  #sentBefore: Promise<void> = Promise.resolve();
  #cancelPause = () => {};

  constructor(channel: BlockChannel, deps: UploadingDeps, options: UploadingOptions) {
    this.#channel = channel;
    this.#deps = deps;
    this.#options = options;
    const { count } = deps.shared.layout;
    this.#wanted = new PieceSet(count);
    this.#sentHere = new PieceSet(count);
    this.#unsubscribe = deps.shared.subscribe(() => this.#onMore());
    deps.line.join(this);
    this.#onMore();
  }

  get peer(): PeerId {
    return this.#channel.peer;
  }

  get isOpen(): boolean {
    return !this.#end.signal.aborted;
  }

  /** What the asker says after its first message. */
  onFrame(frame: Uint8Array): void {
    try {
      const request = decodeRequest(frame, this.#deps.shared.layout);
      if (request.kind === 'list') this.#sayList();
      else {
        this.#allowed = request.allowed;
        this.#wanted = request.pieces;
        // What is on its way to it, it did not know of.
        for (const index of this.#sentHere) this.#wanted.delete(index);
        this.#deps.line.wake();
      }
    } catch (error) {
      this.#deps.logger.warn('an agent that fetches a file says what is no sense', {
        peer: this.peer,
        why: String(error),
      });
      this.close();
    }
  }

  /** The channel has ended, or is to. */
  close(): void {
    if (!this.isOpen) return;
    this.#end.abort(asShoalError('the upload has ended', 'closed'));
    this.#unsubscribe();
    this.#cancelPause();
    this.#deps.line.leave(this);
    this.#channel.close();
    this.#options.onClose();
  }

  choose(): Choice {
    const { shared, clock } = this.#deps;
    if (this.#sentHere.size >= this.#allowed || !shared.list || this.#wanted.size === 0) return { kind: 'nothing' };
    const { againAfterMs } = this.#options;
    return shared.choose(this.#wanted, this, { nowMs: clock.monotonicMs(), againAfterMs });
  }

  lengthOf(index: number): number {
    return this.#deps.shared.layout.lengthOf(index);
  }

  async send(index: number): Promise<void> {
    const { shared, pieces, clock } = this.#deps;
    shared.sent(index, this, clock.monotonicMs());
    this.#sentHere.add(index);
    this.#wanted.delete(index);
    const cancel = clock.after('blocks: slow reader', this.#options.slowReaderMs, () => this.close());
    try {
      const bytes = await pieces.read(index, shared.isWhole);
      const sent = this.#channel.sendParts(headOfPiece(index, this.lengthOf(index)), bytes, this.#end.signal);
      // Looked at with the next piece. That lies ready behind this one: the transport need not wait for us.
      sent.catch(() => {});
      await this.#sentBefore;
      this.#sentBefore = sent;
    } catch (error) {
      this.#failed(error);
    } finally {
      cancel();
    }
  }

  /** Pieces of another list than the asker knows are of no use to it. */
  #onMore(): void {
    this.#list ??= this.#deps.shared.list;
    if (this.#list === this.#deps.shared.list) this.#sayHoldings();
    else this.close();
  }

  /** Says it once more when it has changed meanwhile, however often it has: everybody tells everybody, and who fetches has orders out for longer than that. */
  #sayHoldings(): void {
    this.#moreToSay = true;
    if (this.#saying || !this.isOpen) return;
    this.#saying = true;
    // What one turn brings is said at once.
    this.#deps.clock.soon('blocks: holdings', () => {
      this.#moreToSay = false;
      const said = this.#say(this.#holdings());
      const again = async () => {
        await said;
        this.#saying = false;
        if (this.#moreToSay) this.#sayHoldings();
      };
      this.#cancelPause = this.#deps.clock.after('blocks: holdings', holdingsPauseMs, () => void again());
    });
  }

  #holdings(): Parameters<typeof encodeReply>[0] {
    const { list, have, isWhole, sparing } = this.#deps.shared;
    if (!list) return { holdings: {} };
    return { holdings: { root: list.root, whole: isWhole, sparing, ...(!isWhole && { pieces: have.toBytes() }) } };
  }

  #sayList(): void {
    const { list } = this.#deps.shared;
    this.#listsSent += 1;
    if (list && this.#listsSent <= mostLists) void this.#say({ list: { hashes: list.toBytes() } });
    else this.close();
  }

  async #say(reply: Parameters<typeof encodeReply>[0]): Promise<void> {
    if (!this.isOpen) return;
    try {
      await this.#channel.send(encodeReply(reply), this.#end.signal);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.isOpen) this.#deps.logger.debug('an upload ended', { peer: this.peer, why: String(error) });
    this.close();
  }
}

/** Says no, and ends the channel. */
export async function refuse(channel: BlockChannel, code: ErrorCode): Promise<void> {
  await channel.send(encodeReply({ refusal: { code } })).catch(() => {});
  channel.close();
}
