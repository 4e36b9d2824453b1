import { leafHash, MerkleTree, rootOfPath, toHex, utf8 } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** The leaves and roots that Certificate Transparency's reference implementation tests itself with (RFC 6962 trees of 1 to 8 leaves). */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = leaves.map((hex) => leafHash(Buffer.from(hex, 'hex')));

describe('a Merkle tree', () => {
  it.each(roots.map((root, i) => [i + 1, root] as const))('of %i leaves has the root of RFC 6962', (size, root) => {
    expect(toHex(new MerkleTree(hashes.slice(0, size)).root)).toBe(root);
  });

  it('proves each leaf of trees of every size to 70, at its own place only', () => {
    for (let size = 1; size <= 70; size++) {
      const all = Array.from({ length: size }, (_, i) => leafHash(utf8(String(i))));
      const tree = new MerkleTree(all);
      all.forEach((leaf, index) => {
        const path = tree.path(index);
        expect(rootOfPath(leaf, { index, size, path })).toEqual(tree.root);
        const elsewhere = rootOfPath(leaf, { index: (index + 1) % size, size, path });
        if (size > 1) expect(elsewhere).not.toEqual(tree.root);
      });
    }
  });

  it('is not proved by a path that is longer, shorter or of other hashes', () => {
    const tree = new MerkleTree(hashes);
    const [leaf, path] = [hashes[2] as Uint8Array, tree.path(2)];
    const claims = { index: 2, size: 8 };
    expect(rootOfPath(leaf, { ...claims, path: [...path, leaf] })).toBeUndefined();
    expect(rootOfPath(leaf, { ...claims, path: path.slice(1) })).toBeUndefined();
    expect(rootOfPath(leaf, { ...claims, path: path.map((hash) => hash.subarray(1)) })).toBeUndefined();
    expect(rootOfPath(leaf, { ...claims, path: path.toReversed() })).not.toEqual(tree.root);
  });

  it('has no place outside of it', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (index, size) => {
        const inside = Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
        const root = rootOfPath(hashes[0] as Uint8Array, { index, size, path: [] });
        if (!inside || size > 1) expect(root).toBeUndefined();
      }),
    );
  });
});
