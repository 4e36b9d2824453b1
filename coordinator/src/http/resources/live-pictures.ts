import type { Clock } from '@shoal/protocol';
import { Type } from 'typebox';
import type { LivePicture } from '../../domain/index.ts';
import { sendPictures } from '../picture-stream.ts';
import type { Resource } from '../resource.ts';
import { IdParams, present, problems, timestamp } from '../views/index.ts';

const tags = ['cameras'];

const jpeg = { 'image/jpeg': { schema: Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' }) } };

/** What cameras see now, for people who look. Asked of the devices only while somebody does. */
export const livePictures: Resource = (context) => async (api) => {
  const { coordinator, clock } = context;

  api.get(
    '/v1/cameras/:id/picture',
    {
      schema: {
        tags,
        summary: 'Get the next picture of a camera, as JPEG',
        description:
          'At the size that is analysed. `X-Shoal-Captured-At`, `X-Shoal-Age-Ms` and `X-Shoal-Number` say when it was captured and which report is about it.',
        operationId: 'getPicture',
        params: IdParams,
        response: { 200: { description: 'The picture', content: jpeg }, ...problems('not-found', 'timeout') },
      },
    },
    async ({ params }, reply) => {
      const { signal, close } = context.waits.open(reply);
      try {
        const picture = await coordinator.pictures.newest(params.id, signal);
        return reply
          .headers({
            ...headersOf(picture, clock),
            'cache-control': 'no-store',
            'cross-origin-resource-policy': 'same-origin',
          })
          .type('image/jpeg')
          .serializer((bytes: unknown) => bytes as string)
          .send(Buffer.from(picture.jpeg) as never);
      } finally {
        close();
      }
    },
  );

  api.get(
    '/v1/cameras/:id/live',
    {
      schema: {
        tags,
        summary: 'Follow the pictures of a camera, as an `img` shows them',
        description: 'JPEGs that replace each other (`multipart/x-mixed-replace`). A slow reader gets fewer.',
        operationId: 'followPicture',
        params: IdParams,
        response: {
          200: { description: 'Pictures', content: { 'multipart/x-mixed-replace': { schema: Type.String() } } },
          ...problems('not-found', 'queue.full'),
        },
      },
    },
    async ({ params }, reply) =>
      sendPictures(reply, context, (signal) => coordinator.pictures.watch([params.id], signal), {
        mediaType: 'multipart/x-mixed-replace',
        of: (picture) => [
          { headers: { 'content-type': 'image/jpeg', ...headersOf(picture, clock) }, body: picture.jpeg },
        ],
      }),
  );

  api.get(
    '/v1/live',
    {
      schema: {
        tags,
        summary: 'Follow the pictures of several cameras, each with what was seen on it',
        description:
          'One stream for all of them (`multipart/mixed`), since a browser opens six connections at most: by turns a part of JSON (`camera`, `device`, `capturedAt`, `ageMs` since it was captured, `number` of its report, `analysis`) and the picture that it is about, a JPEG. A slow reader gets fewer pictures.',
        operationId: 'followPictures',
        querystring: Type.Object(
          {
            cameras: Type.String({
              minLength: 1,
              maxLength: 8192,
              description: 'Ids of cameras, with commas between them.',
            }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: { description: 'Pictures', content: { 'multipart/mixed': { schema: Type.String() } } },
          ...problems('not-found', 'queue.full'),
        },
      },
    },
    async ({ query }, reply) =>
      sendPictures(reply, context, (signal) => coordinator.pictures.watch(query.cameras.split(','), signal), {
        mediaType: 'multipart/mixed',
        of: (picture) => [
          { headers: { 'content-type': 'application/json' }, body: JSON.stringify(pictureView(picture, clock)) },
          { headers: { 'content-type': 'image/jpeg' }, body: picture.jpeg },
        ],
      }),
  );
};

/** From its capture until now. */
function ageMs({ bornMs }: LivePicture, clock: Clock): number {
  return Math.round(Math.max(0, clock.monotonicMs() - bornMs) * 10) / 10;
}

function headersOf(picture: LivePicture, clock: Clock): Record<string, string | number> {
  return {
    'x-shoal-captured-at': timestamp(picture.capturedAtMs),
    'x-shoal-age-ms': ageMs(picture, clock),
    ...(picture.number !== undefined && { 'x-shoal-number': picture.number }),
  };
}

function pictureView(picture: LivePicture, clock: Clock): object {
  const { camera, device, number, analysis, capturedAtMs } = picture;
  return present({
    camera,
    device,
    capturedAt: timestamp(capturedAtMs),
    ageMs: ageMs(picture, clock),
    number,
    analysis,
  });
}
