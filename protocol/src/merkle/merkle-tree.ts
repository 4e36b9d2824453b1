import { createHash } from 'node:crypto';
import { sha256 } from '../bytes/index.ts';

/** RFC 6962 §2.1: a leaf never hashes like a node, so nothing inside the tree can be passed off as a leaf. */
const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** Above this a copy to put the prefix before costs more than hashing in two steps. */
const largeLeafBytes = 4_096;

/** SHA-256 of a leaf's bytes, 32 bytes. */
export function leafHash(bytes: Uint8Array): Uint8Array {
  if (bytes.length > largeLeafBytes) return createHash('sha256').update(leafPrefix).update(bytes).digest();
  return sha256(Buffer.concat([leafPrefix, bytes]));
}

/** The same for one that lies in several parts. */
export function leafHashOf(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update(leafPrefix);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

/** The Merkle tree over a list of leaves as RFC 6962 §2.1 hashes it. A node without a neighbour stands for itself one level up. */
export class MerkleTree {
  /** From the leaves to the root. */
  readonly #levels: readonly (readonly Uint8Array[])[];

  /** @param leaves their hashes, at least one. */
  constructor(leaves: readonly Uint8Array[]) {
    const levels = [leaves];
    for (let level = leaves; level.length > 1; levels.push(level)) level = parentsOf(level);
    this.#levels = levels;
  }

  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? sha256('');
  }

  /** The neighbours on the way from a leaf to the root: what {@link rootOfPath} needs beside the leaf. */
  path(index: number): readonly Uint8Array[] {
    const path: Uint8Array[] = [];
    let place = index;
    for (const level of this.#levels) {
      const neighbour = level[place ^ 1];
      if (neighbour) path.push(neighbour);
      place >>>= 1;
    }
    return path;
  }
}

function parentsOf(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = level.slice(i, i + 2);
    if (left) parents.push(right ? nodeHash(left, right) : left);
  }
  return parents;
}

/** The root of a tree of `size` leaves that has this leaf at `index`. @returns `undefined` when no path of such a tree is like this. */
export function rootOfPath(
  leaf: Uint8Array,
  { index, size, path }: { readonly index: number; readonly size: number; readonly path: readonly Uint8Array[] },
): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let hash = leaf;
  let used = 0;
  for (let place = index, width = size; width > 1; place = Math.floor(place / 2), width = Math.ceil(width / 2)) {
    const isRight = place % 2 === 1;
    if (!isRight && place + 1 === width) continue;
    const neighbour = path[used++];
    if (neighbour?.length !== 32) return undefined;
    hash = isRight ? nodeHash(neighbour, hash) : nodeHash(hash, neighbour);
  }
  return used === path.length ? hash : undefined;
}
