import { type Clock, type Logger, ShoalError } from '@shoal/protocol';
import type { BlobRef, Blobs } from '../domain/index.ts';
import type { BlobRecord, Store } from '../store/index.ts';
import type { BlobStore } from './blob-store.ts';

export interface BlobOptions {
  readonly limitBytes: number;
  /** How long a blob is kept after its last use when no live task needs it, ms. */
  readonly unusedAgeMs: number;
}

/** Blobs deleted in one go, so that a sweep never holds anything up. */
const sweepBatch = 100;
const longestMediaType = 128;

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'blob' | 'unusedBlobs' | 'defer'>;
  readonly bytes: BlobStore;
}

/** Inputs by digest, kept for as long as a live task needs them and for a while after. */
export class BlobKeeper implements Blobs {
  readonly #deps: Deps;
  readonly #options: BlobOptions;
  /** How many live tasks need a blob. */
  readonly #needed = new Map<string, number>();
  /** Blobs that are being kept or deleted: one after the other. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(deps: Deps, options: BlobOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async put(content: AsyncIterable<Uint8Array>, mediaType: string, signal: AbortSignal): Promise<BlobRef> {
    if (!/^[\w.+-]+\/[\w.+-]+$/.test(mediaType) || mediaType.length > longestMediaType) {
      throw new ShoalError('input.invalid', 'the media type is not one, like image/jpeg', { field: 'mediaType' });
    }
    const draft = await this.#deps.bytes.write(content, this.#options.limitBytes, signal);
    const { digest, sizeBytes } = draft;
    return this.#exclusively(digest, async () => {
      const known = await this.#deps.store.blob(digest);
      await (known ? draft.discard() : draft.keep());
      const ref = { digest, sizeBytes, mediaType };
      await this.#deps.store.commit([{ kind: 'blob', blob: { ...ref, lastUsedMs: this.#deps.clock.nowMs() } }]);
      return ref;
    });
  }

  async stat(digest: string): Promise<BlobRef | undefined> {
    const record = await this.#deps.store.blob(digest);
    return record && refOf(record);
  }

  async read(digest: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const bytes = await this.#deps.bytes.read(digest, range);
    if (!bytes) throw new ShoalError('not-found', `there is no blob ${digest}`, { digest });
    return bytes;
  }

  /**
   * Keeps the blob until {@link release}, however long that takes. Call before it is looked for, so that it is not deleted in between.
   */
  retain(digest: string): void {
    this.#needed.set(digest, (this.#needed.get(digest) ?? 0) + 1);
  }

  release({ digest, sizeBytes, mediaType }: BlobRef): void {
    this.forgo(digest);
    if (this.#needed.has(digest)) return;
    // From now on its time runs.
    const lastUsedMs = this.#deps.clock.nowMs();
    this.#deps.store.defer({ kind: 'blob', blob: { digest, sizeBytes, mediaType, lastUsedMs } });
  }

  /** Takes {@link retain} back without a use: the blob may not even be there. */
  forgo(digest: string): void {
    const left = (this.#needed.get(digest) ?? 1) - 1;
    if (left > 0) this.#needed.set(digest, left);
    else this.#needed.delete(digest);
  }

  /** Waits out a deletion that began before {@link retain}. */
  async find(digest: string): Promise<BlobRef | undefined> {
    await this.#busy.get(digest);
    return this.stat(digest);
  }

  /** Deletes some of the blobs that nothing needs any more. Returns how many. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#deps;
    const unused = await store.unusedBlobs(clock.nowMs() - this.#options.unusedAgeMs, sweepBatch);
    let gone = 0;
    for (const { digest, ...rest } of unused) {
      if (this.#needed.has(digest)) {
        // Looked at again when another such time is over, so that it does not stand in the way of the next ones.
        store.defer({ kind: 'blob', blob: { ...rest, digest, lastUsedMs: clock.nowMs() } });
        continue;
      }
      await this.#exclusively(digest, () => this.#delete(digest));
      gone += 1;
    }
    return gone;
  }

  /** Deletes bytes that a crash left behind between being kept and being recorded, or the other way round. */
  async removeOrphans(signal: AbortSignal): Promise<void> {
    for await (const digest of this.#deps.bytes.digests()) {
      if (signal.aborted) return;
      if (await this.#deps.store.blob(digest)) continue;
      await this.#exclusively(digest, async () => {
        if (!(await this.#deps.store.blob(digest))) await this.#deps.bytes.remove(digest);
      });
    }
  }

  async #delete(digest: string): Promise<void> {
    if (this.#needed.has(digest)) return;
    await this.#deps.store.commit([{ kind: 'blob-removed', digest }]);
    // Needed again since: whoever asked for it finds no record and says so; the bytes are nobody's.
    await this.#deps.bytes.remove(digest);
  }

  async #exclusively<Value>(digest: string, action: () => Promise<Value>): Promise<Value> {
    const before = this.#busy.get(digest);
    const done = (async () => {
      await before?.catch(() => {});
      return action();
    })();
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#busy.set(digest, settled);
    try {
      return await done;
    } finally {
      if (this.#busy.get(digest) === settled) this.#busy.delete(digest);
    }
  }
}

function refOf({ digest, sizeBytes, mediaType }: BlobRecord): BlobRef {
  return { digest, sizeBytes, mediaType };
}
