export { type KeyProof, type KeyProofContext, makeKeyProof, readKeyProof } from './key-proof.ts';
export { type KeyProofOptions, KeyProofs } from './key-proofs.ts';
export type { Link, LinkKind, LinkListener, LinkTraits } from './link.ts';
export { LinkListeners } from './link-listeners.ts';
export { MemoryHub, type MemoryHubOptions } from './memory/memory-link.ts';
