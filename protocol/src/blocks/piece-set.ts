import { equalBytes } from '../bytes/index.ts';

/** Which of a file's pieces: one bit each, the lowest of a byte first. */
export class PieceSet implements Iterable<number> {
  /** Pieces that the file has. */
  readonly count: number;
  readonly #bits: Uint8Array;
  #size = 0;

  constructor(count: number) {
    this.count = count;
    this.#bits = new Uint8Array(Math.ceil(count / 8));
  }

  static all(count: number): PieceSet {
    const set = new PieceSet(count);
    for (let index = 0; index < count; index++) set.add(index);
    return set;
  }

  /** @returns `undefined` when these are not the bits of a file of so many pieces. */
  static fromBytes(bytes: Uint8Array, count: number): PieceSet | undefined {
    if (bytes.length !== Math.ceil(count / 8)) return undefined;
    const set = new PieceSet(count);
    for (let index = 0; index < bytes.length * 8; index++) {
      if (((bytes[index >> 3] ?? 0) & (1 << (index & 7))) === 0) continue;
      if (index >= count) return undefined;
      set.add(index);
    }
    return set;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.count;
  }

  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    if (this.has(index) || index >= this.count) return;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | (1 << (index & 7));
    this.#size += 1;
  }

  delete(index: number): void {
    if (!this.has(index)) return;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#size -= 1;
  }

  equals(other: PieceSet): boolean {
    return this.#size === other.size && equalBytes(this.#bits, other.#bits);
  }

  copy(): PieceSet {
    const copy = new PieceSet(this.count);
    copy.#bits.set(this.#bits);
    copy.#size = this.#size;
    return copy;
  }

  toBytes(): Uint8Array {
    return this.#bits.slice();
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let index = 0; index < this.count; index++) if (this.has(index)) yield index;
  }
}
