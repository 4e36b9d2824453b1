import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256, toBase32 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import type { Random } from '../runtime/index.ts';

/** Who speaks: a device (`dev_...`) or a coordinator (`crd_...`). Derived from the public key, so it cannot be claimed. */
export type PeerId = string;

export type PeerRole = 'device' | 'coordinator';

const idPrefix: Readonly<Record<PeerRole, string>> = { device: 'dev_', coordinator: 'crd_' };

/** The only signature algorithm so far. Envelopes and keys carry its name, so that another can be added beside it. */
export const signatureAlgorithm = 'ed25519';

/** Raw Ed25519 keys and signatures, RFC 8032 §5.1. */
export const publicKeyLength = 32;
const signatureLength = 64;
const seedLength = 32;

/** A public key that was imported once (importing costs as much as verifying). */
export interface PeerKey {
  readonly id: PeerId;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** How a public key that was recorded or introduced becomes one that verifies: {@link importPeerKey}, or what stands for it. */
export type ImportPeerKey = (role: PeerRole, publicKey: Uint8Array) => PeerKey;

/** A key pair that can sign. The secret half never leaves this object. */
export interface Identity extends PeerKey {
  sign(bytes: Uint8Array): Uint8Array;
}

/** The id of a public key: a prefix for the role and 130 bits of its SHA-256 in base 32. */
export function peerIdOf(role: PeerRole, publicKey: Uint8Array): PeerId {
  return idPrefix[role] + toBase32(sha256(publicKey)).slice(0, 26);
}

export function roleOf(id: PeerId): PeerRole | undefined {
  if (/^dev_[a-z2-7]{26}$/.test(id)) return 'device';
  if (/^crd_[a-z2-7]{26}$/.test(id)) return 'coordinator';
  return undefined;
}

/** @throws `message.signature` when the bytes are not an Ed25519 public key. */
export function importPeerKey(role: PeerRole, publicKey: Uint8Array): PeerKey {
  if (publicKey.length !== publicKeyLength) {
    throw new ShoalError(
      'message.signature',
      `an Ed25519 public key has ${publicKeyLength} bytes, this one ${publicKey.length}`,
    );
  }
  const raw = Uint8Array.from(publicKey);
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  return { id: peerIdOf(role, raw), publicKey: raw, verify: verifierOf(key) };
}

/** Makes the identity of a 32-byte seed (RFC 8032's private key). */
export function identityFromSeed(role: PeerRole, seed: Uint8Array): Identity {
  if (seed.length !== seedLength)
    throw new ShoalError('defect', `an Ed25519 seed has ${seedLength} bytes, this one ${seed.length}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const peer = importPeerKey(role, spki.subarray(spkiPrefix.length));
  return { ...peer, sign: (bytes) => sign(null, bytes, privateKey) };
}

export function newIdentity(role: PeerRole, random: Random): Identity {
  return identityFromSeed(role, random.bytes(seedLength));
}

function verifierOf(key: KeyObject): PeerKey['verify'] {
  return (bytes, signature) => signature.length === signatureLength && verify(null, bytes, key, signature);
}

// RFC 8410 §4 and §7: the fixed DER in front of a raw Ed25519 key.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
