import { createPublicKey, type X509Certificate } from 'node:crypto';
import { fromBase64Url, sha256, toBase64Url } from '../../bytes/index.ts';
import { type Identity, type PeerId, peerIdOf } from '../../identity/index.ts';

/**
 * Certificates (X.509, RFC 5280) that a coordinator signs with its own key, for a TLS key of a broker. A device knows the coordinator's key from its
 * join token, so it needs no other authority, and a broker may have a new TLS key at every start.
 *
 * The issuer says whose key it is: `O` is the raw Ed25519 key in base 64 url, `CN` the id. What is signed begins with a DER sequence, which nothing else
 * does that a coordinator signs.
 */

/** @param publicKey SubjectPublicKeyInfo of the TLS key, DER. @returns the certificate, DER. */
export function vouchForKey(coordinator: Identity, publicKey: Uint8Array): Buffer {
  const name = nameOf(coordinator);
  const toBeSigned = sequence(
    der(0xa0, version3),
    // §4.1.2.2: positive, at most 20 bytes.
    der(0x02, Buffer.concat([Buffer.of(1), sha256(publicKey).subarray(0, 15)])),
    ed25519,
    name,
    // §4.1.2.5: no end. Devices do not look at it: their clocks may be anywhere.
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from('99991231235959Z'))),
    name,
    Buffer.from(publicKey),
  );
  return sequence(toBeSigned, ed25519, bitString(coordinator.sign(toBeSigned)));
}

/** Whether this coordinator, and nobody else, has vouched for the key in the certificate. Never throws. */
export function isVouchedFor(certificate: X509Certificate, coordinator: PeerId): boolean {
  const x = /^O=([\w-]{43})$/m.exec(certificate.issuer)?.[1] ?? '';
  const raw = fromBase64Url(x);
  if (raw?.length !== 32 || peerIdOf('coordinator', raw) !== coordinator) return false;
  try {
    return certificate.verify(createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  } catch {
    return false;
  }
}

function nameOf({ id, publicKey }: Identity): Buffer {
  const attribute = (oid: Buffer, text: string) => der(0x31, sequence(oid, der(0x0c, Buffer.from(text))));
  return sequence(attribute(organization, toBase64Url(publicKey)), attribute(commonName, id));
}

const version3 = der(0x02, Buffer.of(2));
/** RFC 8410 §3: the algorithm alone, without parameters. */
const ed25519 = sequence(Buffer.from('06032b6570', 'hex'));
const organization = Buffer.from('060355040a', 'hex');
const commonName = Buffer.from('0603550403', 'hex');

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function bitString(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

/** X.690 §8.1: tag, length, content. All that is written here is shorter than 64 KiB. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
