import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId as Libp2pPeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { equalBytes } from '../../bytes/index.ts';
import { ShoalError } from '../../errors/index.ts';
import { type Identity, type PeerId, peerIdOf } from '../../identity/index.ts';

/** The libp2p peer of an Ed25519 key: its id *is* the key, so a connection that Noise has authenticated tells who is there. */
export function libp2pPeerOf(publicKey: Uint8Array): Libp2pPeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/** The raw Ed25519 key of a libp2p peer; `undefined` when it has a key of another kind, as no peer of ours has. */
export function publicKeyOf(peer: Libp2pPeerId): Uint8Array | undefined {
  return peer.type === 'Ed25519' ? peer.publicKey.raw : undefined;
}

/** Which of our peers a key is: the coordinator's is known, all others are devices. */
export function idOfKey(publicKey: Uint8Array, coordinator: Uint8Array): PeerId {
  return peerIdOf(equalBytes(publicKey, coordinator) ? 'coordinator' : 'device', publicKey);
}

/**
 * An identity as libp2p wants it. libp2p only ever signs with it, and what it signs begins with words of its own
 * (`noise-libp2p-static-key:`, `libp2p-pubsub:` ...), which no envelope does: the secret half stays where it is.
 */
export function libp2pKeyOf(identity: Identity): Ed25519PrivateKey {
  const publicKey = publicKeyFromRaw(identity.publicKey);
  if (publicKey.type !== 'Ed25519') throw new ShoalError('defect', `an identity has no ${publicKey.type} key`);
  return {
    type: 'Ed25519',
    publicKey,
    get raw(): Uint8Array {
      throw new ShoalError('defect', 'the secret half of an identity does not leave it');
    },
    equals: (key) =>
      key !== undefined && key.type === 'Ed25519' && 'publicKey' in key && publicKey.equals(key.publicKey),
    sign: (bytes) => Uint8Array.from(identity.sign(bytes instanceof Uint8Array ? bytes : bytes.subarray())),
  };
}
