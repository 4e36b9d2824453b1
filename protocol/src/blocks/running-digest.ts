import { createHash } from 'node:crypto';
import type { PieceLayout } from './block-file.ts';
import type { StoredFile } from './block-store.ts';
import type { RecentPieces } from './recent-pieces.ts';

/** The SHA-256 of a file while it comes: what lies behind what was hashed is hashed as soon as it is there, so that little is left for the end. */
export class RunningDigest {
  readonly #source: StoredFile;
  readonly #pieces: RecentPieces;
  readonly #layout: PieceLayout;
  readonly #hash = createHash('sha256');
  #next = 0;

  constructor(source: StoredFile, pieces: RecentPieces, layout: PieceLayout) {
    this.#source = source;
    this.#pieces = pieces;
    this.#layout = layout;
  }

  /** To be called when pieces have come. */
  advance(): void {
    for (let piece = this.#pieces.held(this.#next); piece; piece = this.#pieces.held(this.#next)) {
      for (const part of piece) this.#hash.update(part);
      this.#next += 1;
    }
  }

  /** Lower-case hex, once all pieces are there. @throws `io.failed`, the signal's reason */
  async end(signal: AbortSignal): Promise<string> {
    let ahead = this.#read(this.#next);
    for (let index = this.#next; index < this.#layout.count; index++) {
      const bytes = await ahead;
      signal.throwIfAborted();
      // The disk works while this is hashed.
      ahead = this.#read(index + 1);
      if (bytes) this.#hash.update(bytes);
    }
    return this.#hash.digest('hex');
  }

  #read(index: number): Promise<Uint8Array | undefined> {
    const { count, offsetOf, lengthOf } = this.#layout;
    if (index >= count) return Promise.resolve(undefined);
    const read = this.#source.read(offsetOf(index), lengthOf(index));
    // Should the loop end before it is awaited.
    read.catch(() => {});
    return read;
  }
}
