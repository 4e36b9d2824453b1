export { leafHash, leafHashOf, MerkleTree, rootOfPath } from './merkle-tree.ts';
