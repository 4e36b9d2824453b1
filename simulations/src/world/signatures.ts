import { hash } from 'node:crypto';
import {
  equalBytes,
  type Identity,
  type ImportPeerKey,
  importPeerKey,
  newIdentity,
  type PeerKey,
  type PeerRole,
  type Random,
  sha256Hex,
  toHex,
  utf8,
} from '@shoal/protocol';

/**
 * - `ed25519`: the real ones.
 * - `simulated`: a hash in their place, for worlds of very many agents. Nobody outside of the world would believe them.
 */
export type SignatureKind = 'ed25519' | 'simulated';

/** Everything in one world that signs, and everything that verifies. */
export interface Signatures {
  newIdentity(role: PeerRole, random: Random): Identity;
  readonly importKey: ImportPeerKey;
}

export function signaturesOf(kind: SignatureKind): Signatures {
  return kind === 'ed25519' ? new RememberedSignatures() : new SimulatedSignatures();
}

/** Signatures in one generation; there are two of them. */
const generation = 8_192;

interface Signed {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Real signatures. One that was made in this world is known to fit its key and its bytes, and is not verified again while it is remembered; every other
 * one is: forged, damaged, old or foreign.
 */
class RememberedSignatures implements Signatures {
  #young = new Map<string, Signed>();
  #old = new Map<string, Signed>();

  newIdentity(role: PeerRole, random: Random): Identity {
    const identity = newIdentity(role, random);
    const sign = (bytes: Uint8Array) => {
      const signature = identity.sign(bytes);
      this.#remember(signature, { publicKey: identity.publicKey, bytes: new Uint8Array(bytes) });
      return signature;
    };
    return { ...this.#remembering(identity), sign };
  }

  readonly importKey: ImportPeerKey = (role, publicKey) => this.#remembering(importPeerKey(role, publicKey));

  #remembering(key: PeerKey): PeerKey {
    const { id, publicKey } = key;
    return {
      id,
      publicKey,
      verify: (bytes, signature) => this.#made(publicKey, bytes, signature) || key.verify(bytes, signature),
    };
  }

  #remember(signature: Uint8Array, signed: Signed): void {
    if (this.#young.size >= generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(nameOf(signature), signed);
  }

  #made(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
    const name = nameOf(signature);
    const signed = this.#young.get(name) ?? this.#old.get(name);
    return signed !== undefined && equalBytes(signed.publicKey, publicKey) && equalBytes(signed.bytes, bytes);
  }
}

function nameOf(signature: Uint8Array): string {
  return Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString('latin1');
}

/** A hash of what is signed and of something that only the signer knows, and this object. Keys of another world are real ones. */
class SimulatedSignatures implements Signatures {
  /** In hex, by public key in hex. */
  readonly #secrets = new Map<string, string>();

  newIdentity(role: PeerRole, random: Random): Identity {
    const identity = newIdentity(role, random);
    const secret = toHex(identity.sign(utf8('the secret of simulated signatures')));
    this.#secrets.set(toHex(identity.publicKey), secret);
    return {
      ...this.importKey(role, identity.publicKey),
      sign: (bytes) => Buffer.from(simulated(secret, bytes), 'latin1'),
    };
  }

  readonly importKey: ImportPeerKey = (role, publicKey) => {
    const key = importPeerKey(role, publicKey);
    const secret = this.#secrets.get(toHex(publicKey));
    if (!secret) return key;
    return { ...key, verify: (bytes, signature) => nameOf(signature) === simulated(secret, bytes) };
  };
}

/** 64 characters, as many as a real signature has bytes. */
function simulated(secret: string, bytes: Uint8Array): string {
  return hash('sha256', secret + sha256Hex(bytes), 'hex');
}
