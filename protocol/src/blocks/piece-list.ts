import { equalBytes } from '../bytes/index.ts';
import { leafHashOf, MerkleTree } from '../merkle/index.ts';

const hashBytes = 32;

/** The hashes of a file's pieces, in order, and the root of the RFC 6962 tree over them, by which a list is known. */
export class PieceList {
  readonly root: Uint8Array;
  readonly #hashes: readonly Uint8Array[];

  constructor(hashes: readonly Uint8Array[]) {
    this.#hashes = hashes;
    this.root = new MerkleTree(hashes).root;
  }

  /** @returns `undefined` when these are not the hashes of `count` pieces with this root. */
  static parse(bytes: Uint8Array, count: number, root: Uint8Array): PieceList | undefined {
    if (bytes.length !== count * hashBytes) return undefined;
    const hashes = Array.from({ length: count }, (_, i) => bytes.slice(i * hashBytes, (i + 1) * hashBytes));
    const list = new PieceList(hashes);
    return equalBytes(list.root, root) ? list : undefined;
  }

  get count(): number {
    return this.#hashes.length;
  }

  fits(index: number, piece: readonly Uint8Array[]): boolean {
    const expected = this.#hashes[index];
    return expected !== undefined && equalBytes(expected, leafHashOf(piece));
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#hashes);
  }
}
