import { fromBase64, fromUtf8, toBase64, utf8 } from '../bytes/index.ts';
import { asShoalError, ShoalError } from '../errors/index.ts';
import { importPeerKey, type PeerKey } from '../identity/index.ts';
import { canonicalJson } from '../json/index.ts';
import { type ResultStatement, verifyAttestation } from './statement.ts';

export const bundleMediaType = 'application/vnd.shoal.bundle.v1+json';

/** All that is needed to check a result offline, in one file. */
export interface ProofBundle {
  readonly mediaType: typeof bundleMediaType;
  /** Base 64 of the exact result bytes. */
  readonly result: string;
  /** Base 64 of the DSSE envelope. */
  readonly attestation: string;
  /** Base 64 of the device's raw Ed25519 public key; the device id in the statement is derived from it. */
  readonly publicKey: string;
}

export function writeBundle(parts: { result: Uint8Array; attestation: Uint8Array; publicKey: Uint8Array }): Uint8Array {
  const bundle: ProofBundle = {
    mediaType: bundleMediaType,
    result: toBase64(parts.result),
    attestation: toBase64(parts.attestation),
    publicKey: toBase64(parts.publicKey),
  };
  return utf8(`${canonicalJson(bundle)}\n`);
}

export interface VerifiedBundle {
  readonly statement: ResultStatement;
  readonly device: PeerKey;
  /** The exact result bytes. */
  readonly result: Uint8Array;
}

/**
 * Checks a bundle file, offline. There is exactly one way to write a bundle, every part of it is covered by the signature or derived from the
 * key, and the key by the device id: so any flipped bit is found, or makes it the bundle of a device with another id.
 * @throws `attestation.invalid` with what does not fit.
 */
export function verifyBundle(file: Uint8Array): VerifiedBundle {
  const bundle = parseBundle(file);
  const result = fromBase64(bundle.result);
  const attestation = fromBase64(bundle.attestation);
  const publicKey = fromBase64(bundle.publicKey);
  if (!result || !attestation || !publicKey)
    throw new ShoalError('attestation.invalid', 'a part of the bundle is not base 64');
  requireCanonical(file, bundle);
  const device = deviceKey(publicKey);
  return { statement: verifyAttestation(attestation, result, device), device, result };
}

function parseBundle(file: Uint8Array): ProofBundle {
  let parsed: Partial<ProofBundle>;
  try {
    parsed = JSON.parse(fromUtf8(file));
  } catch (cause) {
    throw new ShoalError('attestation.invalid', 'the file is not a bundle: it is not JSON', {}, { cause });
  }
  const { mediaType, result, attestation, publicKey } = parsed ?? {};
  if (
    mediaType !== bundleMediaType ||
    typeof result !== 'string' ||
    typeof attestation !== 'string' ||
    typeof publicKey !== 'string'
  ) {
    throw new ShoalError('attestation.invalid', `the file is not a bundle of type ${bundleMediaType}`);
  }
  return { mediaType, result, attestation, publicKey };
}

/** What is base 64 in it has been looked at: all of it is text that JSON can say. */
function requireCanonical(file: Uint8Array, bundle: ProofBundle): void {
  if (fromUtf8(file) === `${canonicalJson(bundle)}\n`) return;
  throw new ShoalError('attestation.invalid', 'the bundle is not written in its one canonical form: it was changed');
}

function deviceKey(publicKey: Uint8Array): PeerKey {
  try {
    return importPeerKey('device', publicKey);
  } catch (error) {
    throw new ShoalError('attestation.invalid', `the device key is not one: ${asShoalError(error).message}`);
  }
}
