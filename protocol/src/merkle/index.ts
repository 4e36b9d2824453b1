export { leafHash, MerkleTree, rootOfPath } from './merkle-tree.ts';
