import { createHmac } from 'node:crypto';
import { toBase64 } from '@shoal/protocol';

/** As its owner is shown it (standardwebhooks.com, "Signature scheme"). */
export function secretWord(secret: Uint8Array): string {
  return `whsec_${toBase64(secret)}`;
}

/** The headers of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`. Neither id nor timestamp has a full stop, so nothing can be read in two ways. */
export function signedHeaders(
  secret: Uint8Array,
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
