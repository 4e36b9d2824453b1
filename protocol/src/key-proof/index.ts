export { type KeyProof, type KeyProofContext, makeKeyProof, readKeyProof } from './key-proof.ts';
export { type KeyProofOptions, KeyProofs, type ProvenKey } from './key-proofs.ts';
