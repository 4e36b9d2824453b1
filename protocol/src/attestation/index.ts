export { Attester } from './attester.ts';
export { bundleMediaType, type ProofBundle, type VerifiedBundle, verifyBundle, writeBundle } from './bundle.ts';
export {
  type DsseEnvelope,
  type DsseSignature,
  openDsse,
  preAuthenticationEncoding,
  signDsse,
  signDsseBatch,
  signerOf,
} from './dsse.ts';
export {
  type AttestOptions,
  attestResult,
  type ResultPredicate,
  type ResultStatement,
  statementMediaType,
  verifyAttestation,
} from './statement.ts';
