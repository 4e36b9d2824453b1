import type { Readable } from 'node:stream';
import { isShoalError, ShoalError } from '@shoal/protocol';
import { Type } from 'typebox';
import type { PushOutcome } from '../../domain/index.ts';
import { limited } from '../limited.ts';
import { boundaryOf, partsOf } from '../multipart-pictures.ts';
import type { Resource } from '../resource.ts';
import { IdParams, problems } from '../views/index.ts';

const tags = ['cameras'];
/** 4K as JPEG. */
const pictureLimitBytes = 8 << 20;

const Sent = Type.Object({
  taken: Type.Integer({ description: 'Pictures that were taken in.' }),
  dropped: Type.Integer({ description: 'Pictures of a stream that gave way to a newer one, or were none.' }),
});

/** Cameras that send their pictures by themselves. */
export const pictures: Resource = (context) => async (api) => {
  const { coordinator } = context;
  // Bytes are handed on as they come: nothing here parses them.
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  api.post(
    '/v1/cameras/:id/pictures',
    {
      config: { sentByCamera: true },
      schema: {
        tags,
        summary: 'Send a picture of a camera, or a stream of them',
        description:
          'For a camera whose source is `push:`. One JPEG, PNG or WebP is the body; a stream is `multipart/x-mixed-replace`, as cameras serve it, and may go on for ever. The newest picture wins. Besides an API key, one that was made for this camera will do.',
        operationId: 'sendPictures',
        params: IdParams,
        consumes: ['image/jpeg', 'image/png', 'image/webp', 'multipart/x-mixed-replace'],
        body: Type.Unknown({ description: 'The picture, or the stream.' }),
        response: {
          202: Sent,
          ...problems(
            'not-found',
            'conflict',
            'input.too-large',
            'input.unsupported',
            'input.corrupt',
            'work.no-device',
          ),
        },
      },
    },
    async ({ params, headers, body }, reply) => {
      if (!body) throw new ShoalError('input.corrupt', 'the request has no body: send the picture');
      // Nothing is read of what nobody can take.
      coordinator.cameras.get(params.id);
      const boundary = boundaryOf(headers['content-type'] ?? '');
      const { signal, close } = context.streams.open(reply);
      const sent = { taken: 0, dropped: 0 };
      try {
        if (boundary === undefined) {
          coordinator.cameras.push(params.id, await whole(body as Readable));
          sent.taken += 1;
        } else {
          for await (const picture of partsOf(body as Readable, boundary, pictureLimitBytes)) {
            signal.throwIfAborted();
            if (isDropped(() => coordinator.cameras.push(params.id, picture))) sent.dropped += 1;
            else sent.taken += 1;
          }
        }
      } finally {
        close();
      }
      return reply.code(202).send(sent);
    },
  );
};

async function whole(body: Readable): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of limited(body, pictureLimitBytes)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A stream goes on when one of its pictures is none, or nobody watches the camera for a moment. */
function isDropped(push: () => PushOutcome): boolean {
  try {
    return push() === 'replaced';
  } catch (error) {
    const passing = ['work.no-device', 'input.unsupported', 'input.too-large'] as const;
    if (passing.some((code) => isShoalError(error, code))) return true;
    throw error;
  }
}
