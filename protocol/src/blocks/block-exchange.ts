import { joined } from '../bytes/index.ts';
import { asShoalError, ShoalError } from '../errors/index.ts';
import type { Clock, Logger, Random, Service } from '../runtime/index.ts';
import type { BlockFile } from './block-file.ts';
import { decodeWanted } from './block-messages.ts';
import type { BlockChannel, BlockPeers } from './block-peers.ts';
import type { BlockStore, StoredFile } from './block-store.ts';
import { Download, type DownloadOptions, type DownloadProgress, defaultDownloadOptions } from './download.ts';
import { Liars } from './liars.ts';
import { readPieceList } from './read-piece-list.ts';
import { RecentLists } from './recent-lists.ts';
import { RecentPieces } from './recent-pieces.ts';
import { SharedFile } from './shared-file.ts';
import { type UploadLimits, UploadLine } from './upload-line.ts';
import { refuse, Uploading } from './uploading.ts';

export interface BlockExchangeOptions {
  readonly uploads: UploadLimits;
  /** Channels over which others may ask at a time: in all, and of one device. None: nothing is given. */
  readonly mostUploads: number;
  readonly mostUploadsOfOne: number;
  /** How long who brought a file holds back a piece that it has just sent to another, ms. */
  readonly againAfterMs: number;
  /** An asker that has not read a piece after this long is left, ms. */
  readonly slowReaderMs: number;
  /** A file that nobody asks for is closed after this long, ms. */
  readonly idleMs: number;
  readonly download: DownloadOptions;
}

/** For a Raspberry Pi on a wire of 100 Mbit/s or a good radio: two thirds of it. */
export const defaultBlockExchangeOptions: BlockExchangeOptions = {
  uploads: { bytesPerSecond: 8_000_000, atOnce: 4 },
  mostUploads: 64,
  mostUploadsOfOne: 8,
  againAfterMs: 10_000,
  slowReaderMs: 20_000,
  idleMs: 60_000,
  download: defaultDownloadOptions,
};

interface Deps {
  readonly peers: BlockPeers;
  readonly store: BlockStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A file that others may have from here: held whole, or as far as it has come. */
interface Entry {
  readonly shared: SharedFile;
  readonly source: StoredFile;
  readonly pieces: RecentPieces;
  readonly uploads: Set<Uploading>;
  download?: Download | undefined;
  cancelIdle(): void;
}

export interface BlockFetchOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Files by their SHA-256, fetched from other agents and given to them. */
export class BlockExchange implements Service {
  readonly name = 'blocks';
  readonly #deps: Deps;
  readonly #options: BlockExchangeOptions;
  readonly #line: UploadLine;
  readonly #liars: Liars;
  readonly #lists = new RecentLists();
  readonly #entries = new Map<string, Entry>();
  readonly #opening = new Map<string, Promise<Entry>>();
  /** What came from others since the start: it need not be spared. */
  readonly #fetched = new Set<string>();
  readonly #channels = new Set<BlockChannel>();
  /** Of these, those that are not refused. */
  readonly #served = new Set<BlockChannel>();
  readonly #stopped = new AbortController();
  #unsubscribe = () => {};

  constructor(deps: Deps, options: Partial<BlockExchangeOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultBlockExchangeOptions, ...options };
    this.#line = new UploadLine(deps.clock, this.#options.uploads);
    this.#liars = new Liars(deps.clock);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#unsubscribe = this.#deps.peers.subscribe({
      onChannel: (channel) => this.#onChannel(channel),
      onPeer: () => {},
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new ShoalError('closed', 'the exchange of files has stopped'));
    this.#unsubscribe();
    this.#line.stop();
    for (const channel of this.#channels) channel.close();
    await Promise.all([...this.#entries.values()].map((entry) => this.#close(entry)));
  }

  /** How many copies of a file this device has sent since somebody first asked; 0 when nobody has. */
  copiesSent(sha256: string): number {
    return this.#entries.get(sha256)?.shared.copiesSent ?? 0;
  }

  /**
   * Brings a file into the store from other agents, and passes on what has come meanwhile. What has come stays on the disk when it fails.
   * @throws `not-found`, `timeout`, `io.disk-full`, `io.failed`, `input.invalid`; `conflict` while it is being fetched; the signal's reason
   */
  async fetch(file: BlockFile, { signal, onProgress }: BlockFetchOptions): Promise<void> {
    if (this.#entries.get(file.sha256)?.shared.isWhole) return;
    if (this.#entries.has(file.sha256)) throw new ShoalError('conflict', `${file.sha256} is being fetched already`);
    const shared = new SharedFile(file, { sparing: false });
    const part = await this.#deps.store.part(file);
    const pieces = new RecentPieces(part, shared.layout);
    const files = { shared, part, pieces };
    const download = new Download({ ...this.#deps, liars: this.#liars }, files, this.#options.download, onProgress);
    const entry: Entry = { shared, source: part, pieces, uploads: new Set(), download, cancelIdle: () => {} };
    this.#entries.set(file.sha256, entry);
    const startedMs = this.#deps.clock.monotonicMs();
    try {
      await download.run(AbortSignal.any([signal, this.#stopped.signal]));
      this.#fetched.add(file.sha256);
      const tookMs = Math.round(this.#deps.clock.monotonicMs() - startedMs);
      this.#deps.logger.info('a file came from other agents', {
        sha256: file.sha256,
        sizeBytes: file.sizeBytes,
        tookMs,
      });
      entry.download = undefined;
      this.#closeWhenIdle(entry);
    } catch (error) {
      await this.#close(entry);
      throw error;
    }
  }

  #onChannel(channel: BlockChannel): void {
    let upload: Uploading | undefined;
    let isAsked = false;
    this.#channels.add(channel);
    channel.listen({
      onEnd: () => {
        this.#channels.delete(channel);
        this.#served.delete(channel);
        upload?.close();
      },
      onFrame: (parts) => {
        const frame = joined(parts);
        if (upload) upload.onFrame(frame);
        // Who has said which file waits to hear what is here.
        else if (isAsked) channel.close();
        else {
          isAsked = true;
          this.#serve(channel, frame).then(
            (begun) => {
              upload = begun;
              if (!this.#channels.has(channel)) begun.close();
            },
            (error: unknown) => this.#refuse(channel, asShoalError(error)),
          );
        }
      },
    });
  }

  async #serve(channel: BlockChannel, frame: Uint8Array): Promise<Uploading> {
    const file = decodeWanted(frame);
    const { mostUploads, mostUploadsOfOne } = this.#options;
    if (mostUploads === 0) throw new ShoalError('not-found', 'this agent gives nothing');
    const ofThisOne = [...this.#served].filter(({ peer }) => peer === channel.peer).length;
    if (this.#served.size >= mostUploads || ofThisOne >= mostUploadsOfOne) {
      throw new ShoalError('queue.full', 'others are being sent pieces');
    }
    this.#served.add(channel);
    const entry = this.#entries.get(file.sha256) ?? (await this.#openShared(file));
    // It fetches the same file: each has what the other lacks.
    entry.download?.invite(channel.peer);
    if (this.#channels.has(channel)) return this.#begin(channel, entry);
    this.#closeWhenIdle(entry);
    throw new ShoalError('closed', 'the channel has ended');
  }

  #begin(channel: BlockChannel, entry: Entry): Uploading {
    const { shared, pieces, uploads } = entry;
    entry.cancelIdle();
    const upload = new Uploading(
      channel,
      { ...this.#deps, shared, pieces, line: this.#line },
      {
        ...this.#options,
        onClose: () => {
          uploads.delete(upload);
          this.#closeWhenIdle(entry);
        },
      },
    );
    uploads.add(upload);
    return upload;
  }

  /** Those who ask for a file at the same time wait for the same look at it. */
  #openShared(file: BlockFile): Promise<Entry> {
    const opening = this.#opening.get(file.sha256) ?? this.#openHeld(file);
    this.#opening.set(file.sha256, opening);
    return opening.finally(() => this.#opening.delete(file.sha256));
  }

  /** @throws `not-found` also when the file is not what its name says: nobody shall be sent that. */
  async #openHeld(file: BlockFile): Promise<Entry> {
    const source = await this.#deps.store.open(file);
    if (!source) throw new ShoalError('not-found', `${file.sha256} is not held here`);
    const shared = new SharedFile(file, { sparing: !this.#fetched.has(file.sha256) });
    try {
      const list = this.#lists.get(file.sha256) ?? (await readPieceList(source, file, this.#stopped.signal));
      this.#lists.add(file.sha256, list);
      shared.use(list);
      shared.becomeWhole();
    } catch (error) {
      await source.close();
      throw error;
    }
    const entry: Entry = {
      shared,
      source,
      pieces: new RecentPieces(source, shared.layout),
      uploads: new Set(),
      cancelIdle: () => {},
    };
    this.#entries.set(file.sha256, entry);
    return entry;
  }

  #refuse(channel: BlockChannel, error: ShoalError): void {
    const { logger } = this.#deps;
    logger[error.code === 'defect' ? 'error' : 'debug']('an agent is not given a file', {
      peer: channel.peer,
      why: error.message,
    });
    void refuse(channel, error.code);
  }

  #closeWhenIdle(entry: Entry): void {
    entry.cancelIdle();
    if (entry.uploads.size > 0 || entry.download) return;
    entry.cancelIdle = this.#deps.clock.after('blocks: idle file', this.#options.idleMs, () => void this.#close(entry));
  }

  async #close(entry: Entry): Promise<void> {
    entry.cancelIdle();
    const { sha256 } = entry.shared.file;
    if (this.#entries.get(sha256) === entry) this.#entries.delete(sha256);
    entry.download = undefined;
    for (const upload of [...entry.uploads]) upload.close();
    entry.pieces.clear();
    entry.cancelIdle();
    await entry.source.close();
  }
}
