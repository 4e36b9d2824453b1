import type { PieceLayout } from './block-file.ts';
import type { StoredFile } from './block-store.ts';

const mostBytes = 4 * 1024 * 1024;
/** So much is read at once of a file that is whole: askers are sent one piece after the other. */
const readAheadBytes = 512 * 1024;

/**
 * The pieces of a file that were last here: what has just come is asked for soonest, and what lies behind a piece that was asked for is next. Going to the
 * disk for each piece costs more than sending it.
 */
export class RecentPieces {
  readonly #layout: PieceLayout;
  readonly #source: StoredFile;
  /** The oldest first. */
  readonly #pieces = new Map<number, readonly Uint8Array[]>();
  readonly #loading = new Map<number, Promise<readonly Uint8Array[]>>();
  #bytes = 0;

  constructor(source: StoredFile, layout: PieceLayout) {
    this.#source = source;
    this.#layout = layout;
  }

  add(index: number, bytes: readonly Uint8Array[]): void {
    this.#forget(index);
    this.#pieces.set(index, bytes);
    this.#bytes += this.#layout.lengthOf(index);
    for (const oldest of this.#pieces.keys()) {
      if (this.#bytes <= mostBytes) break;
      this.#forget(oldest);
    }
  }

  held(index: number): readonly Uint8Array[] | undefined {
    return this.#pieces.get(index);
  }

  /** @param ahead whether what lies behind it is there as well. @throws `io.failed` */
  async read(index: number, ahead: boolean): Promise<readonly Uint8Array[]> {
    const piece = this.#pieces.get(index) ?? (await this.#load(index, ahead));
    // The disk reads on while this one is sent.
    if (ahead && index + 1 < this.#layout.count && !this.#pieces.has(index + 1))
      this.#load(index + 1, true).catch(() => {});
    return piece;
  }

  /** Who asks for what is being read waits for that. */
  #load(index: number, ahead: boolean): Promise<readonly Uint8Array[]> {
    const loading = this.#loading.get(index) ?? this.#readFrom(index, ahead);
    this.#loading.set(index, loading);
    return loading.finally(() => this.#loading.delete(index));
  }

  async #readFrom(index: number, ahead: boolean): Promise<readonly Uint8Array[]> {
    const { offsetOf, lengthOf, pieceBytes, count } = this.#layout;
    const pieces = ahead ? Math.min(Math.ceil(readAheadBytes / pieceBytes), count - index) : 1;
    const last = index + pieces - 1;
    const bytes = await this.#source.read(offsetOf(index), offsetOf(last) - offsetOf(index) + lengthOf(last));
    for (let at = last; at >= index; at--) {
      const start = offsetOf(at) - offsetOf(index);
      this.add(at, [bytes.subarray(start, start + lengthOf(at))]);
    }
    return [bytes.subarray(0, lengthOf(index))];
  }

  clear(): void {
    this.#pieces.clear();
    this.#bytes = 0;
  }

  #forget(index: number): void {
    if (this.#pieces.delete(index)) this.#bytes -= this.#layout.lengthOf(index);
  }
}
