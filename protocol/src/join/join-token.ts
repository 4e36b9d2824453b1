import { createHmac, timingSafeEqual } from 'node:crypto';
import { fromBase64Url, fromUtf8, sha256, toBase64Url, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { importPeerKey, type PeerId, type PeerKey, publicKeyLength } from '../identity/index.ts';

/** What a device needs to join: where the coordinator is, which key it must have, and a secret that shows the device may. */
export interface JoinToken {
  /** Where to reach the coordinator, best first: `mqtt://host:port`. */
  readonly addresses: readonly string[];
  readonly coordinator: PeerKey;
  readonly tokenId: string;
  /** 16 bytes. Never logged. */
  readonly secret: Uint8Array;
  /** The device is to seal what it says, and to believe nothing that is not sealed. */
  readonly seal?: boolean;
}

const prefix = 'shoal1_';
const checksumLength = 4;
const secretLength = 16;

/** The token as one word to copy: `shoal1_` + base 64 url of JSON + 4 bytes of checksum, so that a cut one is recognised. */
export function encodeJoinToken(token: JoinToken): string {
  const content = utf8(
    JSON.stringify({
      a: token.addresses,
      k: toBase64Url(token.coordinator.publicKey),
      t: token.tokenId,
      s: toBase64Url(token.secret),
      ...(token.seal && { e: 1 }),
    }),
  );
  return prefix + toBase64Url(Buffer.concat([content, sha256(content).subarray(0, checksumLength)]));
}

/** @throws `token.invalid` when the word is not a whole token. The message never repeats it. */
export function decodeJoinToken(word: string): JoinToken {
  const trimmed = word.trim();
  const bytes = trimmed.startsWith(prefix) ? fromBase64Url(trimmed.slice(prefix.length)) : undefined;
  const content = bytes?.subarray(0, -checksumLength);
  if (
    !bytes ||
    !content ||
    !Buffer.from(sha256(content).subarray(0, checksumLength)).equals(bytes.subarray(-checksumLength))
  ) {
    throw invalid('it starts with shoal1_ and must be copied whole');
  }
  let parsed: { a?: unknown; k?: unknown; t?: unknown; s?: unknown; e?: unknown };
  try {
    parsed = JSON.parse(fromUtf8(content)) ?? {};
  } catch {
    throw invalid('its content cannot be read');
  }
  const { a, k, t, s, e } = parsed;
  const publicKey = typeof k === 'string' ? fromBase64Url(k) : undefined;
  const secret = typeof s === 'string' ? fromBase64Url(s) : undefined;
  const addresses = Array.isArray(a) ? a.filter((address): address is string => typeof address === 'string') : [];
  if (
    publicKey?.length !== publicKeyLength ||
    secret?.length !== secretLength ||
    typeof t !== 'string' ||
    addresses.length === 0
  ) {
    throw invalid('an address, the key or the secret is missing; it may be of a later version');
  }
  const coordinator = importPeerKey('coordinator', publicKey);
  // Anything that is said of it: a later version may say it in another way, and none says it to be understood as no.
  return { addresses, coordinator, tokenId: t, secret, seal: e !== undefined };
}

/** Shows that a device holds a token without sending its secret: HMAC-SHA256 over the device id. */
export function proveToken(secret: Uint8Array, device: PeerId): Uint8Array {
  return createHmac('sha256', secret).update(`shoal-join-v1${device}`).digest();
}

export function isTokenProof(proof: Uint8Array, secret: Uint8Array, device: PeerId): boolean {
  const expected = proveToken(secret, device);
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}

function invalid(why: string): ShoalError {
  return new ShoalError('token.invalid', `this is not a join token: ${why}`);
}
