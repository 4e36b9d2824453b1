import { equalBytes, lengthOf, toHex } from '../bytes/index.ts';
import { asShoalError, ShoalError } from '../errors/index.ts';
import type { PeerId } from '../identity/index.ts';
import { type Clock, every, type Logger, type Random } from '../runtime/index.ts';
import type { BlockPeers } from './block-peers.ts';
import type { PartFile } from './block-store.ts';
import { chooseRoot } from './choose-root.ts';
import { Conversation, type ConversationEnd } from './conversation.ts';
import { type Holder, planOrders } from './order-plan.ts';
import { PieceList } from './piece-list.ts';
import { PieceSet } from './piece-set.ts';
import { PieceWriter } from './piece-writer.ts';
import type { RecentPieces } from './recent-pieces.ts';
import { RunningDigest } from './running-digest.ts';
import type { SharedFile } from './shared-file.ts';

export interface DownloadOptions {
  /** Holders that are talked to at once. */
  readonly mostHolders: number;
  /** How long somebody is waited for who has a piece that is missing, ms. */
  readonly patienceMs: number;
  /** How long, from the start, those are waited for who have not answered yet, ms. */
  readonly answerMs: number;
  /** How long a piece is waited for, whoever has one, ms. */
  readonly stalledMs: number;
  /** Before the pieces are chosen that most holders vouch for, all that are asked have so long to answer, ms. */
  readonly settleMs: number;
  readonly lateMs: number;
  readonly silentMs: number;
  /** A holder that went away or refused is asked again after this long, ms. */
  readonly againMs: number;
  /** One that has no place for another asker is, after this long, ms. */
  readonly busyMs: number;
}

export const defaultDownloadOptions: DownloadOptions = {
  mostHolders: 16,
  patienceMs: 2_000,
  answerMs: 10_000,
  stalledMs: 30_000,
  settleMs: 100,
  lateMs: 8_000,
  silentMs: 20_000,
  againMs: 5_000,
  busyMs: 1_000,
};

export interface DownloadDeps {
  readonly peers: BlockPeers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Those who lied are not asked again, by this download or a later one. */
  readonly liars: { has(peer: PeerId): boolean; add(peer: PeerId): void };
}

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes that are here, those of an earlier attempt included. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

const tickMs = 250;

/** One file from as many holders as have it, a piece at a time. Each piece is checked before it is written or passed on, the file before it is used. */
export class Download {
  readonly #deps: DownloadDeps;
  readonly #options: DownloadOptions;
  readonly #shared: SharedFile;
  readonly #part: PartFile;
  readonly #pieces: RecentPieces;
  readonly #writer: PieceWriter;
  #digest: RunningDigest;
  readonly #onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly #holders = new Map<PeerId, Conversation>();
  readonly #opening = new Set<PeerId>();
  readonly #notBeforeMs = new Map<PeerId, number>();
  /** Whose pieces together were another file. */
  readonly #falseRoots = new Set<string>();
  readonly #writing = new Set<number>();
  readonly #ranks: Float64Array;
  readonly #end = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  readonly #startedMs: number;
  #listFrom: PeerId | undefined;
  #root: Uint8Array | undefined;
  #mayFitDisk: boolean;
  #isLookingAtDisk = false;
  #isFinishing = false;
  #isPlanned = false;
  /** Somebody had it and no place for another asker. */
  #busyUntilMs = 0;
  #hopeMs: number;
  #progressMs: number;

  /** @param shared what others get of it meanwhile. */
  constructor(
    deps: DownloadDeps,
    file: { readonly shared: SharedFile; readonly part: PartFile; readonly pieces: RecentPieces },
    options: DownloadOptions,
    onProgress?: (progress: DownloadProgress) => void,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#shared = file.shared;
    this.#part = file.part;
    this.#pieces = file.pieces;
    this.#writer = new PieceWriter(file.part, file.shared.layout);
    this.#digest = this.#newDigest();
    this.#onProgress = onProgress;
    this.#mayFitDisk = !file.part.isNew;
    this.#ranks = Float64Array.from({ length: file.shared.layout.count }, () => deps.random.next());
    this.#startedMs = deps.clock.monotonicMs();
    this.#hopeMs = this.#startedMs;
    this.#progressMs = this.#startedMs;
  }

  /**
   * Resolves when the file is here and is the one that was wanted.
   * @throws `not-found` when nobody has what is missing; `timeout` when nothing comes; `io.disk-full`, `io.failed`; the signal's reason
   */
  async run(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { peers, clock } = this.#deps;
    const unsubscribe = peers.subscribe({ onChannel: () => {}, onPeer: (peer) => this.invite(peer) });
    const stopTicking = every(clock, 'blocks: download', tickMs, () => this.#tick());
    const onAbort = () => this.#over.reject(asShoalError(signal.reason, 'aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (const peer of peers.connected()) this.invite(peer);
      await this.#over.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      stopTicking();
      unsubscribe();
      this.#end.abort(new ShoalError('closed', 'the download is over'));
      for (const holder of [...this.#holders.values()]) holder.end({ kind: 'gone', why: 'the download is over' });
    }
  }

  /** Somebody who may have it. */
  invite(peer: PeerId): void {
    this.#notBeforeMs.delete(peer);
    this.#open(peer);
  }

  #open(peer: PeerId): void {
    const { peers, clock, liars, logger } = this.#deps;
    const isBusy = this.#holders.has(peer) || this.#opening.has(peer);
    if (isBusy || liars.has(peer) || this.#end.signal.aborted) return;
    if (this.#holders.size + this.#opening.size >= this.#options.mostHolders) return;
    this.#opening.add(peer);
    peers
      .open(peer, this.#end.signal)
      .then((channel) => {
        const listener = {
          onHoldings: () => this.#onHoldings(),
          onList: (hashes: Uint8Array) => void this.#onList(peer, hashes),
          onPiece: (index: number, bytes: readonly Uint8Array[]) => this.#onPiece(peer, index, bytes),
          onOver: (end: ConversationEnd) => this.#onOver(peer, end),
        };
        const { file, layout } = this.#shared;
        this.#holders.set(peer, new Conversation(channel, file, layout, { clock, listener }, this.#options));
      })
      .catch((error: unknown) => {
        if (this.#end.signal.aborted) return;
        logger.debug('an agent cannot be asked for a file', { peer, why: String(error) });
        this.#notBeforeMs.set(peer, clock.monotonicMs() + this.#options.againMs);
      })
      .finally(() => this.#opening.delete(peer));
  }

  #onOver(peer: PeerId, { kind, why }: ConversationEnd): void {
    const { clock, liars, logger } = this.#deps;
    const { againMs, busyMs } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#holders.delete(peer);
    this.#notBeforeMs.set(peer, nowMs + (kind === 'busy' ? busyMs : againMs));
    if (kind === 'busy') this.#busyUntilMs = nowMs + 2 * busyMs;
    if (this.#listFrom === peer) this.#listFrom = undefined;
    if (this.#end.signal.aborted) return;
    if (kind === 'lied') {
      liars.add(peer);
      logger.warn('an agent sends wrong pieces and is not asked again', { peer, why });
    } else if (kind !== 'refused') logger.debug('an agent is not asked any more', { peer, why });
    this.#agreeOnPieces();
    this.#replan();
  }

  #onHoldings(): void {
    this.#agreeOnPieces();
    this.#replan();
  }

  /** Asks for the list of pieces that most vouch for, when all have had time to say theirs. */
  #agreeOnPieces(): void {
    if (this.#listFrom !== undefined || this.#isFinishing || this.#end.signal.aborted) return;
    const holders = [...this.#holders.values()];
    if (this.#shared.list) {
      // Others may have the file under another list than those who are left, or than those who went.
      const others = holders.filter(({ holdings }) => holdings?.whole && !this.#isOfRoot(holdings.root));
      if (others.length === 0 || this.#canGoOn()) return;
      this.#forgetList();
    }
    const haveAllAnswered = this.#opening.size === 0 && holders.every(({ holdings }) => holdings);
    if (!haveAllAnswered && this.#deps.clock.monotonicMs() - this.#startedMs < this.#options.settleMs) return;
    this.#root = chooseRoot(
      holders.flatMap(({ holdings }) => holdings ?? []),
      this.#falseRoots,
    );
    const from = this.#agreeing().toSorted((a, b) => Number(b.holdings?.whole) - Number(a.holdings?.whole))[0];
    this.#listFrom = from?.peer;
    from?.askForList();
  }

  /** Those who have pieces of the list that was chosen. */
  #agreeing(): Conversation[] {
    return [...this.#holders.values()].filter(({ holdings }) => this.#isOfRoot(holdings?.root));
  }

  #isOfRoot(root: Uint8Array | undefined): boolean {
    return root !== undefined && this.#root !== undefined && equalBytes(root, this.#root);
  }

  /** The pieces on the disk stay: those that fit the next list count again. */
  #forgetList(): void {
    this.#root = undefined;
    this.#mayFitDisk = true;
    this.#pieces.clear();
    this.#digest = this.#newDigest();
    this.#shared.use(undefined);
  }

  async #onList(peer: PeerId, hashes: Uint8Array): Promise<void> {
    this.#listFrom = undefined;
    const list = this.#root && PieceList.parse(hashes, this.#shared.layout.count, this.#root);
    if (!list) {
      this.#holders.get(peer)?.end({ kind: 'lied', why: 'its list of pieces is not the one that it named' });
      this.#agreeOnPieces();
      return;
    }
    this.#shared.use(list);
    this.#isLookingAtDisk = true;
    try {
      if (this.#mayFitDisk) await this.#takeUp(list);
    } catch (error) {
      this.#over.reject(error);
      return;
    } finally {
      this.#isLookingAtDisk = false;
    }
    this.#replan();
  }

  /** What an earlier attempt left on the disk, as far as it fits the list. */
  async #takeUp(list: PieceList): Promise<void> {
    const { layout } = this.#shared;
    for (let index = 0; index < layout.count && !this.#end.signal.aborted; index++) {
      const bytes = await this.#part.read(layout.offsetOf(index), layout.lengthOf(index));
      if (list.fits(index, [bytes])) this.#shared.add(index);
    }
    this.#tellProgress();
  }

  #onPiece(peer: PeerId, index: number, bytes: readonly Uint8Array[]): void {
    const { list, have, layout } = this.#shared;
    if (!list || lengthOf(bytes) !== layout.lengthOf(index) || !list.fits(index, bytes)) {
      this.#holders.get(peer)?.end({ kind: 'lied', why: `its piece ${index} is another one` });
      return;
    }
    if (have.has(index) || this.#writing.has(index)) {
      this.#replan();
      return;
    }
    this.#writing.add(index);
    this.#progressMs = this.#deps.clock.monotonicMs();
    this.#writer.write(index, bytes).then(
      () => {
        this.#writing.delete(index);
        if (this.#shared.list === list) this.#has(index, bytes);
        this.#tellProgress();
        this.#replan();
      },
      (error: unknown) => this.#over.reject(error),
    );
  }

  #has(index: number, bytes: readonly Uint8Array[]): void {
    this.#pieces.add(index, bytes);
    this.#shared.add(index);
    this.#digest.advance();
  }

  #newDigest(): RunningDigest {
    return new RunningDigest(this.#part, this.#pieces, this.#shared.layout);
  }

  #tellProgress(): void {
    const { layout, have, file } = this.#shared;
    const receivedBytes = Math.min(file.sizeBytes, have.size * layout.pieceBytes);
    this.#onProgress?.({ receivedBytes, totalBytes: file.sizeBytes });
  }

  /** Once for all that one turn brings. */
  #replan(): void {
    if (this.#isPlanned || this.#end.signal.aborted) return;
    this.#isPlanned = true;
    this.#deps.clock.soon('blocks: plan', () => {
      this.#isPlanned = false;
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#end.signal.aborted || !this.#shared.list || this.#isLookingAtDisk) return;
    const missing = this.#missing();
    const holders = this.#agreeing();
    const plan = planOrders(missing, holders.map(asHolder), (index) => this.#ranks[index] ?? 0);
    for (const holder of holders) {
      const pieces = plan.get(holder.peer);
      if (pieces) holder.order(pieces);
    }
    if (this.#shared.have.isFull && !this.#isFinishing) void this.#finish();
  }

  #missing(): PieceSet {
    const missing = PieceSet.all(this.#shared.layout.count);
    for (const index of this.#shared.have) missing.delete(index);
    for (const index of this.#writing) missing.delete(index);
    return missing;
  }

  /** Only the SHA-256 of the whole tells that the list of pieces was the right one. */
  async #finish(): Promise<void> {
    this.#isFinishing = true;
    try {
      const isRight = (await this.#digest.end(this.#end.signal)) === this.#shared.file.sha256;
      if (isRight) await this.#part.finish();
      if (isRight) this.#shared.becomeWhole();
      if (isRight) this.#over.resolve();
      else this.#disbelieve();
    } catch (error) {
      this.#over.reject(error);
    }
    this.#isFinishing = false;
    this.#agreeOnPieces();
  }

  /** All pieces came, and together they are another file: who vouched for that list is not believed again. */
  #disbelieve(): void {
    const vouched = this.#agreeing();
    if (this.#root) this.#falseRoots.add(toHex(this.#root));
    this.#forgetList();
    for (const holder of vouched) {
      const { whole } = holder.holdings ?? {};
      // Who has only pieces of it has been deceived as well.
      holder.end(
        whole ? { kind: 'lied', why: 'its pieces are another file' } : { kind: 'gone', why: 'it was deceived' },
      );
    }
  }

  #tick(): void {
    const { clock, peers } = this.#deps;
    const nowMs = clock.monotonicMs();
    for (const holder of [...this.#holders.values()]) holder.measure(tickMs);
    for (const peer of peers.connected()) {
      if ((this.#notBeforeMs.get(peer) ?? 0) <= nowMs) this.#open(peer);
    }
    this.#agreeOnPieces();
    this.#replan();
    this.#loseHope(nowMs);
  }

  #loseHope(nowMs: number): void {
    const isWorking = this.#writing.size > 0 || this.#isFinishing || this.#isLookingAtDisk;
    if (isWorking || this.#isHopeful(nowMs)) this.#hopeMs = nowMs;
    if (isWorking) this.#progressMs = nowMs;
    const { sha256 } = this.#shared.file;
    if (nowMs - this.#hopeMs > this.#options.patienceMs) {
      this.#over.reject(new ShoalError('not-found', `no other agent has what is missing of ${sha256}`));
    } else if (nowMs - this.#progressMs > this.#options.stalledMs) {
      this.#over.reject(new ShoalError('timeout', `no other agent has sent anything of ${sha256} for long`));
    }
  }

  /** Whether somebody has what is missing here, or may say so. */
  #isHopeful(nowMs: number): boolean {
    const isAnyAsked = this.#opening.size > 0 || [...this.#holders.values()].some(({ holdings }) => !holdings);
    if (isAnyAsked && nowMs - this.#startedMs < this.#options.answerMs) return true;
    if (nowMs < this.#busyUntilMs) return true;
    return this.#shared.list ? this.#canGoOn() : this.#listFrom !== undefined;
  }

  /** Whether one of those who go by the same list has a piece that is missing, or none is. */
  #canGoOn(): boolean {
    const missing = [...this.#missing()];
    if (missing.length === 0) return true;
    return this.#agreeing().some(({ holdings }) => missing.some((index) => holdings?.pieces.has(index)));
  }
}

function asHolder({ peer, holdings, isLate, ordered, window }: Conversation): Holder {
  const has = holdings?.pieces ?? new PieceSet(ordered.count);
  return { peer, has, sparing: holdings?.sparing ?? false, isLate, ordered, window };
}
