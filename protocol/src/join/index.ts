export { decodeJoinToken, encodeJoinToken, isTokenProof, type JoinToken, proveToken } from './join-token.ts';
export { openSuccession, type SuccessionOptions, sealSuccession } from './succession.ts';
