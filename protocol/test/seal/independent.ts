import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto';

/*
 * docs/protocol.md, "Sealed messages", written down a second time from the document alone: nothing of Shoal is imported here, HKDF is spelled out
 * (RFC 5869 §2), and keys are imported as JWK instead of DER.
 */

const algorithm = 'x25519-hkdf-sha256-chacha20-poly1305';

export interface Conversation {
  readonly deviceKey: Uint8Array;
  readonly coordinatorKey: Uint8Array;
  /** Secret halves of the two shares. */
  readonly deviceSeed: Uint8Array;
  readonly coordinatorSeed: Uint8Array;
}

export interface Secrets {
  readonly session: Buffer;
  readonly toCoordinator: Buffer;
  readonly toDevice: Buffer;
}

export function publicShare(seed: Uint8Array): Buffer {
  return Buffer.from(createPublicKey(privateKey(seed)).export({ format: 'jwk' }).x ?? '', 'base64url');
}

export function secretsOf({ deviceKey, coordinatorKey, deviceSeed, coordinatorSeed }: Conversation): Secrets {
  const shares = [publicShare(deviceSeed), publicShare(coordinatorSeed)];
  const words = [deviceKey, coordinatorKey, ...shares.flatMap((share) => [Buffer.from(algorithm), share])];
  const counted = words.flatMap((word) => [Buffer.from([0, 0, 0, word.length]), word]);
  const transcript = createHash('sha256')
    .update(Buffer.concat([Buffer.from('shoal-session-v1\0'), ...counted]))
    .digest();
  const common = diffieHellman({
    privateKey: privateKey(deviceSeed),
    publicKey: createPublicKey(privateKey(coordinatorSeed)),
  });
  const prk = createHmac('sha256', transcript).update(common).digest();
  const expand = (before: Uint8Array, counter: number) =>
    createHmac('sha256', prk)
      .update(before)
      .update('shoal-session-v1\0')
      .update(Buffer.from([counter]))
      .digest();
  const toCoordinator = expand(Buffer.alloc(0), 1);
  return { session: transcript.subarray(0, 16), toCoordinator, toDevice: expand(toCoordinator, 2) };
}

export function decrypt(key: Uint8Array, sequence: number, parts: readonly Uint8Array[], tag: Uint8Array): Buffer[] {
  const nonce = Buffer.from(sequence.toString(16).padStart(24, '0'), 'hex');
  const lengths = Buffer.concat(parts.map(({ length }) => Buffer.from(length.toString(16).padStart(8, '0'), 'hex')));
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  const plaintextLength = parts.reduce((sum, { length }) => sum + length, 0);
  decipher.setAAD(lengths, { plaintextLength }).setAuthTag(tag);
  const all = Buffer.concat([decipher.update(Buffer.concat(parts)), decipher.final()]);
  let from = 0;
  return parts.map(({ length }) => {
    from += length;
    return all.subarray(from - length, from);
  });
}

function privateKey(seed: Uint8Array) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
