import { Type } from 'typebox';
import type { ApiKeyView } from '../../domain/index.ts';
import type { Resource } from '../resource.ts';
import { IdParams, problems, Timestamp, timestamp } from '../views/index.ts';

const tags = ['keys'];

const camera = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'It is for sending the pictures of this camera, and nothing else.',
  }),
);

const Key = Type.Object({ id: Type.String(), name: Type.String(), createdAt: Timestamp, camera });

export const keys: Resource =
  ({ coordinator }) =>
  async (api) => {
    api.post(
      '/v1/keys',
      {
        schema: {
          tags,
          summary: 'Make an API key for a program',
          description:
            'The key is shown in this answer only; just its SHA-256 is kept. It is good until it is revoked.',
          operationId: 'createKey',
          body: Type.Object(
            { name: Type.String({ minLength: 1, maxLength: 64, description: 'What it is for.' }), camera },
            { additionalProperties: false },
          ),
          response: {
            201: Type.Object({ ...Key.properties, key: Type.String() }),
            ...problems('input.unsupported', 'queue.full', 'not-found'),
          },
        },
      },
      async ({ body }, reply) => {
        if (body.camera !== undefined) coordinator.cameras.get(body.camera);
        const { key, ...view } = await coordinator.apiKeys.create(body.name, body.camera);
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({ ...keyView(view), key });
      },
    );

    api.get(
      '/v1/keys',
      {
        schema: {
          tags,
          summary: 'List the API keys, without the keys themselves',
          operationId: 'listKeys',
          response: { 200: Type.Object({ items: Type.Array(Key) }), ...problems() },
        },
      },
      async () => ({ items: coordinator.apiKeys.list().map(keyView) }),
    );

    api.delete(
      '/v1/keys/:id',
      {
        schema: {
          tags,
          summary: 'Revoke an API key: it is refused from now on',
          operationId: 'revokeKey',
          params: IdParams,
          response: { 204: Type.Null({ description: 'Revoked.' }), ...problems('not-found') },
        },
      },
      async ({ params }, reply) => {
        await coordinator.apiKeys.revoke(params.id);
        return reply.code(204).send(null);
      },
    );
  };

function keyView({ createdAtMs, ...view }: ApiKeyView) {
  return { ...view, createdAt: timestamp(createdAtMs) };
}
