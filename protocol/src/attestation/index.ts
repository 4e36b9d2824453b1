export { bundleMediaType, type ProofBundle, type VerifiedBundle, verifyBundle, writeBundle } from './bundle.ts';
export { type DsseEnvelope, openDsse, preAuthenticationEncoding, signDsse } from './dsse.ts';
export {
  type AttestOptions,
  attestResult,
  type ResultPredicate,
  type ResultStatement,
  statementMediaType,
  verifyAttestation,
} from './statement.ts';
