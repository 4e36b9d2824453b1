export { type FleetNews, FleetPass } from './fleet-pass.ts';
export { decodeJoinToken, encodeJoinToken, isTokenProof, type JoinToken, proveToken } from './join-token.ts';
export { openMembership, sealMembership } from './membership.ts';
export { openSuccession, type SuccessionOptions, sealSuccession } from './succession.ts';
