import type { Readable } from 'node:stream';
import { ShoalError } from '@shoal/protocol';
import { Type } from 'typebox';
import { limited } from '../limited.ts';
import { boundaryOf, partsOf } from '../multipart-pictures.ts';
import type { Resource } from '../resource.ts';
import { IdParams, problems } from '../views/index.ts';

const tags = ['cameras'];
/** A camera may send more; what is handed on has a limit of its own. */
const pictureLimitBytes = 16 << 20;

const Sent = Type.Object({
  taken: Type.Integer({ description: 'Pictures that went to the device that watches the camera.' }),
  dropped: Type.Integer({ description: 'Pictures that came sooner than wanted, or gave way to a newer one.' }),
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
      const boundary = boundaryOf(headers['content-type'] ?? '');
      const { signal, close } = context.streams.open(reply);
      const sent = { taken: 0, dropped: 0 };
      try {
        const all =
          boundary === undefined ? whole(body as Readable) : partsOf(body as Readable, boundary, pictureLimitBytes);
        for await (const picture of all) {
          signal.throwIfAborted();
          const outcome = coordinator.cameras.push(params.id, picture);
          if (outcome !== 'surplus') sent.taken += 1;
          if (outcome !== 'taken') sent.dropped += 1;
        }
      } finally {
        close();
      }
      return reply.code(202).send(sent);
    },
  );
};

async function* whole(body: Readable): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of limited(body, pictureLimitBytes)) pieces.push(piece);
  yield Buffer.concat(pieces);
}
