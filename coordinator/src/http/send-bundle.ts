import { bundleMediaType } from '@shoal/protocol';
import type { FastifyReply } from 'fastify';

/** Answers with a proof, which a browser saves as `NAME.proof.json`. */
export function sendBundle(reply: FastifyReply, name: string, bundle: Uint8Array): FastifyReply {
  return reply
    .type(bundleMediaType)
    .header('content-disposition', `attachment; filename="${name}.proof.json"`)
    .send(Buffer.from(bundle));
}
