import { fromBase64, fromUtf8, toBase64, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import type { Identity, PeerId, PeerKey } from '../identity/index.ts';
import { canonicalJson } from '../json/index.ts';
import { type PlaceInBatch, signBatch, verifyInBatch } from './batch-signature.ts';

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md, v1.0.2) with one signature. */
export interface DsseEnvelope {
  readonly payloadType: string;
  /** Base 64 of the payload. */
  readonly payload: string;
  readonly signatures: readonly [DsseSignature];
}

export interface DsseSignature {
  readonly keyid: string;
  /** Base 64 of the signature. */
  readonly sig: string;
  /** There only when it was signed together with others: then `sig` is over the root of a Merkle tree of them. The path in base 64. */
  readonly batch?: { readonly index: number; readonly size: number; readonly path: readonly string[] };
}

/** The pre-authentication encoding: what is really signed (DSSE protocol.md). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return Buffer.concat([utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload]);
}

/** Signs a payload; the envelope as the bytes of canonical JSON. */
export function signDsse(identity: Identity, payloadType: string, payload: Uint8Array): Uint8Array {
  const sig = toBase64(identity.sign(preAuthenticationEncoding(payloadType, payload)));
  return written(payloadType, payload, { keyid: identity.id, sig });
}

/** Signs payloads together, each in an envelope of its own that says where in the batch it is. One alone is signed as the specification says. */
export function signDsseBatch(
  identity: Identity,
  payloadType: string,
  payloads: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (payloads.length < 2) return payloads.map((payload) => signDsse(identity, payloadType, payload));
  const texts = payloads.map((payload) => preAuthenticationEncoding(payloadType, payload));
  const { signature, places } = signBatch(identity, texts);
  const shared = { keyid: identity.id, sig: toBase64(signature) };
  return places.map((place, i) => {
    const batch = { ...place, path: place.path.map(toBase64) };
    return written(payloadType, payloads[i] as Uint8Array, { ...shared, batch });
  });
}

function written(payloadType: string, payload: Uint8Array, signature: DsseSignature): Uint8Array {
  const envelope: DsseEnvelope = { payloadType, payload: toBase64(payload), signatures: [signature] };
  return utf8(canonicalJson(envelope));
}

/** Parses an envelope and checks its one signature. Returns the payload's bytes. @throws `attestation.invalid`. */
export function openDsse(envelope: unknown, payloadType: string, key: PeerKey): Uint8Array {
  const { payload, signature, batch } = parseDsse(envelope, payloadType, key.id);
  const text = preAuthenticationEncoding(payloadType, payload);
  const fits = batch ? verifyInBatch(key, text, batch, signature) : key.verify(text, signature);
  if (!fits) throw new ShoalError('attestation.invalid', 'the signature does not fit the statement', { keyid: key.id });
  return payload;
}

/** The id of the key that an envelope says it is signed with; nothing of it is checked. */
export function signerOf(envelope: Uint8Array): PeerId | undefined {
  try {
    const { signatures } = JSON.parse(fromUtf8(envelope)) as Partial<DsseEnvelope>;
    return signatures?.[0].keyid;
  } catch {
    return undefined;
  }
}

interface ParsedDsse {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly batch: PlaceInBatch | undefined;
}

function parseDsse(envelope: unknown, payloadType: string, keyid: string): ParsedDsse {
  const { payloadType: type, payload: text, signatures } = (envelope ?? {}) as Partial<DsseEnvelope>;
  const first = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  const payload = typeof text === 'string' ? fromBase64(text) : undefined;
  const signature = typeof first?.sig === 'string' ? fromBase64(first.sig) : undefined;
  // What nobody signed has no place beside what was signed.
  const alone = hasOnly(envelope, 3) && hasOnly(first, first?.batch === undefined ? 2 : 3);
  if (type !== payloadType || !payload || !signature || !alone) {
    throw new ShoalError('attestation.invalid', `not a DSSE envelope of type ${payloadType} with one signature`);
  }
  if (first?.keyid !== keyid)
    throw new ShoalError('attestation.invalid', `the envelope is signed by another key than ${keyid}`);
  return { payload, signature, batch: first.batch === undefined ? undefined : parseBatch(first.batch) };
}

function parseBatch(batch: Partial<NonNullable<DsseSignature['batch']>> | null): PlaceInBatch {
  const { index, size, path } = batch ?? {};
  const hashes = Array.isArray(path)
    ? path.map((text) => (typeof text === 'string' ? fromBase64(text) : undefined))
    : [];
  const isPlace = hasOnly(batch, 3) && hashes.length > 0 && hashes.every(isBytes);
  if (typeof index !== 'number' || typeof size !== 'number' || !isPlace) {
    throw new ShoalError('attestation.invalid', 'the place of the statement in its batch is not one');
  }
  return { index, size, path: hashes.filter(isBytes) };
}

/** That an object has so many members: those that are known, when all of them were found. */
function hasOnly(value: unknown, members: number): boolean {
  return Object.keys(Object(value)).length === members;
}

function isBytes(value: Uint8Array | undefined): value is Uint8Array {
  return value !== undefined;
}
