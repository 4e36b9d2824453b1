import { type VerifiedBundle, verifyBundle } from '@shoal/protocol/attestation';
import { type PendingSignature, takePendingSignatures } from './node-crypto.ts';

/** What a bundle proves, or why it proves nothing. */
export type Verdict =
  | { readonly holds: true; readonly bundle: VerifiedBundle }
  | { readonly holds: false; readonly reason: string };

/**
 * Checks a bundle in this browser, by the protocol's own rules and WebCrypto's Ed25519. Nobody is asked: neither the coordinator nor anybody else.
 * @throws when this browser cannot check signatures here
 */
export async function verifyHere(file: Uint8Array): Promise<Verdict> {
  // WebCrypto is there on HTTPS and on this very machine.
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error(
      'Browsers check signatures for pages over HTTPS or on localhost only. With the file on your own machine: npx shoal verify FILE',
    );
  }
  takePendingSignatures();
  let bundle: VerifiedBundle;
  try {
    bundle = verifyBundle(file);
  } catch (error) {
    takePendingSignatures();
    return { holds: false, reason: error instanceof Error ? error.message : String(error) };
  }
  const signatures = takePendingSignatures();
  const checked = await Promise.all(signatures.map(holds));
  // No signature at all would prove nothing.
  return checked.length > 0 && checked.every(Boolean)
    ? { holds: true, bundle }
    : { holds: false, reason: 'the signature does not fit the statement' };
}

async function holds({ publicKey, bytes, signature }: PendingSignature): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', own(publicKey), 'Ed25519', false, ['verify']).catch(() => undefined);
  return key !== undefined && crypto.subtle.verify('Ed25519', key, own(signature), own(bytes));
}

/** WebCrypto takes no memory that is shared. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
