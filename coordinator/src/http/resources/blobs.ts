import { Readable } from 'node:stream';
import { ShoalError } from '@shoal/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { BlobRef } from '../../domain/index.ts';
import { parseRange } from '../byte-range.ts';
import { limited } from '../limited.ts';
import type { Resource, ResourceContext } from '../resource.ts';
import { Digest, problems } from '../views/index.ts';

const tags = ['blobs'];
const chunkBytes = 1 << 20;

const Blob = Type.Object({ digest: Digest, sizeBytes: Type.Integer(), mediaType: Type.String() });
const DigestParams = Type.Object({ digest: Digest });
const bytes = { '*/*': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) } };
const consumes = ['application/octet-stream', 'image/jpeg', 'image/png', 'video/mp4'];

export const blobs: Resource = (context) => async (api) => {
  const { coordinator } = context;
  // Bytes are stored as they come, whatever they are: nothing here parses them.
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  api.post(
    '/v1/blobs',
    {
      schema: {
        tags,
        summary: 'Store bytes; the answer is their digest',
        operationId: 'storeBlob',
        consumes,
        body: Type.Unknown({ description: 'The bytes, raw. `Content-Type` says what they are.' }),
        response: { 201: Blob, ...problems('input.too-large', 'io.disk-full', 'input.corrupt') },
      },
    },
    async (request, reply) => created(reply, await store(request, reply, context)),
  );

  api.put(
    '/v1/blobs/:digest',
    {
      schema: {
        tags,
        summary: 'Store bytes of which the digest is known; nothing is sent twice that is there already',
        operationId: 'storeBlobByDigest',
        params: DigestParams,
        consumes,
        body: Type.Unknown({ description: 'The bytes, raw.' }),
        response: { 200: Blob, 201: Blob, ...problems('input.too-large', 'io.disk-full', 'conflict', 'input.corrupt') },
      },
    },
    async (request, reply) => {
      const { digest } = request.params;
      const known = await coordinator.blobs.stat(digest);
      if (known) {
        (request.body as Readable | undefined)?.resume();
        return reply.code(200).send(known);
      }
      const stored = await store(request, reply, context);
      if (stored.digest === digest) return created(reply, stored);
      throw new ShoalError('conflict', `the bytes have the digest ${stored.digest}, not the one of the address`, {
        digest: stored.digest,
      });
    },
  );

  api.get(
    '/v1/blobs/:digest',
    {
      schema: {
        tags,
        summary: 'Get bytes by their digest, all or a range',
        operationId: 'getBlob',
        params: DigestParams,
        response: {
          200: { description: 'The bytes', content: bytes },
          206: { description: 'The range that was asked for', content: bytes },
          304: Type.Null({ description: 'The caller has it already (`If-None-Match`).' }),
          ...problems('not-found'),
        },
      },
    },
    async ({ params, headers, method }, reply) => {
      const blob = await coordinator.blobs.stat(params.digest);
      if (!blob) throw new ShoalError('not-found', `there is no blob ${params.digest}`, { digest: params.digest });
      describe(reply, blob);
      if (headers['if-none-match'] === etagOf(blob)) return reply.code(304).send(null);
      const range = parseRange(headers.range, blob.sizeBytes);
      const { offset, length } = range ?? { offset: 0, length: blob.sizeBytes };
      if (range) {
        reply.code(206).header('content-range', `bytes ${offset}-${offset + length - 1}/${blob.sizeBytes}`);
      }
      reply.header('content-length', length);
      if (method === 'HEAD') return reply.send(Readable.from([]));
      return reply.send(Readable.from(pieces(blob, offset, length)));
    },
  );

  async function* pieces(blob: BlobRef, offset: number, length: number): AsyncIterable<Uint8Array> {
    for (let at = offset; at < offset + length; at += chunkBytes) {
      yield await coordinator.blobs.read(blob.digest, {
        offset: at,
        length: Math.min(chunkBytes, offset + length - at),
      });
    }
  }
};

async function store(request: FastifyRequest, reply: FastifyReply, context: ResourceContext): Promise<BlobRef> {
  const body = request.body as Readable | undefined;
  if (!body) throw new ShoalError('input.corrupt', 'the request has no body: send the bytes to store');
  const mediaType = request.headers['content-type'] ?? 'application/octet-stream';
  const { signal, close } = context.waits.open(reply);
  try {
    return await context.coordinator.blobs.put(limited(body, context.options.uploadLimitBytes), mediaType, signal);
  } finally {
    close();
  }
}

function created(reply: FastifyReply, blob: BlobRef): FastifyReply {
  return reply.code(201).header('location', `/v1/blobs/${blob.digest}`).send(blob);
}

/** Bytes of strangers are never shown as a page of ours: they are saved, not run. */
function describe(reply: FastifyReply, blob: BlobRef): void {
  reply
    .type(blob.mediaType)
    .header('etag', etagOf(blob))
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, max-age=31536000, immutable')
    .header('content-disposition', 'attachment')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('x-content-type-options', 'nosniff');
}

function etagOf(blob: BlobRef): string {
  return `"${blob.digest}"`;
}
