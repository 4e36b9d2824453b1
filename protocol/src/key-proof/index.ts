export { type KeyProof, type KeyProofContext, makeKeyProof, readKeyProof } from './key-proof.ts';
export { type KeyProofOptions, KeyProofs } from './key-proofs.ts';
