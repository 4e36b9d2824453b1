import { fromBase64, toBase64, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import type { Identity, PeerKey } from '../identity/index.ts';
import { canonicalJson } from '../json/index.ts';

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md, v1.0.2) with one signature. */
export interface DsseEnvelope {
  readonly payloadType: string;
  /** Base 64 of the payload. */
  readonly payload: string;
  readonly signatures: readonly [{ readonly keyid: string; readonly sig: string }];
}

/** The pre-authentication encoding: what is really signed (DSSE protocol.md). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return Buffer.concat([utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload]);
}

/** Signs a payload; the envelope as the bytes of canonical JSON. */
export function signDsse(identity: Identity, payloadType: string, payload: Uint8Array): Uint8Array {
  const sig = toBase64(identity.sign(preAuthenticationEncoding(payloadType, payload)));
  const envelope: DsseEnvelope = { payloadType, payload: toBase64(payload), signatures: [{ keyid: identity.id, sig }] };
  return utf8(canonicalJson(envelope));
}

/** Parses an envelope and checks its one signature. Returns the payload's bytes. @throws `attestation.invalid`. */
export function openDsse(envelope: unknown, payloadType: string, key: PeerKey): Uint8Array {
  const { payload, signature } = parseDsse(envelope, payloadType, key.id);
  if (!key.verify(preAuthenticationEncoding(payloadType, payload), signature)) {
    throw new ShoalError('attestation.invalid', 'the signature does not fit the statement', { keyid: key.id });
  }
  return payload;
}

function parseDsse(
  envelope: unknown,
  payloadType: string,
  keyid: string,
): { payload: Uint8Array; signature: Uint8Array } {
  const { payloadType: type, payload: text, signatures } = (envelope ?? {}) as Partial<DsseEnvelope>;
  const first = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  const payload = typeof text === 'string' ? fromBase64(text) : undefined;
  const signature = typeof first?.sig === 'string' ? fromBase64(first.sig) : undefined;
  if (type !== payloadType || !payload || !signature) {
    throw new ShoalError('attestation.invalid', `not a DSSE envelope of type ${payloadType} with one signature`);
  }
  if (first?.keyid !== keyid)
    throw new ShoalError('attestation.invalid', `the envelope is signed by another key than ${keyid}`);
  return { payload, signature };
}
