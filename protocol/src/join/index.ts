export { decodeJoinToken, encodeJoinToken, isTokenProof, type JoinToken, proveToken } from './join-token.ts';
