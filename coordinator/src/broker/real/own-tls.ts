import { generateKeyPairSync } from 'node:crypto';
import type { Identity } from '@shoal/protocol';
import { vouchForKey } from '@shoal/protocol/mqtt';
import type { TlsIdentity } from '../listener.ts';

/**
 * A new TLS key, with a certificate that the coordinator's own key signs: devices know that key from their join token. It is good for one run and is
 * never written down.
 */
export function makeOwnTls(coordinator: Identity): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = vouchForKey(coordinator, publicKey.export({ type: 'spki', format: 'der' }));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}
