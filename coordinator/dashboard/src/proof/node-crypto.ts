import { Buffer } from './node-buffer.ts';
import { sha256 } from './sha256.ts';

/*
 * What of `node:crypto` the rules of proofs use. A browser checks signatures by WebCrypto, which answers later: here each one that is to be checked is
 * written down and taken for good, and verify.ts believes nothing before all of them were checked.
 */

/** The raw Ed25519 key stands behind this much of DER (RFC 8410 §4). */
const spkiPrefixLength = 12;

interface PublicKey {
  readonly raw: Uint8Array;
}

export interface PendingSignature {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

let pending: PendingSignature[] = [];

/** Those that were taken for good since this was called last. */
export function takePendingSignatures(): readonly PendingSignature[] {
  const taken = pending;
  pending = [];
  return taken;
}

export function hash(algorithm: string, data: Uint8Array | string, encoding: 'hex' | 'buffer'): string | Uint8Array {
  if (algorithm !== 'sha256') throw notHere(`hash ${algorithm}`);
  const digest = sha256(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  return encoding === 'hex' ? Buffer.from(digest).toString('hex') : Buffer.from(digest);
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(): Uint8Array;
}

export function createHash(algorithm: string): Hash {
  const parts: Uint8Array[] = [];
  const started: Hash = {
    update(bytes) {
      parts.push(bytes);
      return started;
    },
    digest: () => hash(algorithm, Buffer.concat(parts), 'buffer') as Uint8Array,
  };
  return started;
}

export function createPublicKey({ key }: { readonly key: Uint8Array }): PublicKey {
  return { raw: Uint8Array.from(key.subarray(spkiPrefixLength)) };
}

export function verify(_algorithm: null, bytes: Uint8Array, { raw }: PublicKey, signature: Uint8Array): boolean {
  pending.push({ publicKey: raw, bytes: Uint8Array.from(bytes), signature: Uint8Array.from(signature) });
  return true;
}

/** Nothing is signed in a browser. */
export function createPrivateKey(): never {
  throw notHere('private keys');
}

export function sign(): never {
  throw notHere('signing');
}

function notHere(what: string): Error {
  return new Error(`there is no ${what} in the page`);
}
