export {
  type Identity,
  type ImportPeerKey,
  identityFromSeed,
  importPeerKey,
  newIdentity,
  type PeerId,
  type PeerKey,
  type PeerRole,
  peerIdOf,
  publicKeyLength,
  roleOf,
  signatureAlgorithm,
} from './identity.ts';
export { rememberKeys } from './remember-keys.ts';
