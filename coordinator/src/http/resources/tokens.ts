import { Type } from 'typebox';
import type { Resource } from '../resource.ts';
import { IdParams, Labels, problems, Timestamp, timestamp } from '../views/index.ts';

const tags = ['tokens'];
const hourMs = 3_600_000;

export const tokens: Resource =
  ({ coordinator }) =>
  async (api) => {
    api.post(
      '/v1/tokens',
      {
        schema: {
          tags,
          summary: 'Make a token with which devices can join',
          description: 'Give the word to `shoal-agent join WORD`. It is shown in this answer only.',
          operationId: 'createToken',
          body: Type.Object(
            {
              uses: Type.Optional(
                Type.Integer({
                  minimum: 1,
                  maximum: 1_000_000,
                  default: 1,
                  description: 'Devices that may join with it.',
                }),
              ),
              lifetimeMs: Type.Optional(
                Type.Integer({ minimum: 1_000, maximum: 10 * 365 * 24 * hourMs, default: 24 * hourMs }),
              ),
              labels: Type.Optional({ ...Labels, description: 'Every device that joins with it gets these.' }),
              approve: Type.Optional(
                Type.Boolean({ default: false, description: 'Who joins with it waits until somebody approves it.' }),
              ),
            },
            { additionalProperties: false },
          ),
          response: {
            201: Type.Object({ id: Type.String(), word: Type.String(), expiresAt: Timestamp }),
            ...problems('input.unsupported'),
          },
        },
      },
      async ({ body }, reply) => {
        const { uses = 1, lifetimeMs = 24 * hourMs, labels = {}, approve = false } = body;
        const { id, word, expiresAtMs } = await coordinator.tokens.create({ uses, lifetimeMs, labels, approve });
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .header('location', `/v1/tokens/${id}`)
          .send({ id, word, expiresAt: timestamp(expiresAtMs) });
      },
    );

    api.get(
      '/v1/tokens',
      {
        schema: {
          tags,
          summary: 'List the tokens that can still be used',
          operationId: 'listTokens',
          response: {
            200: Type.Object({
              items: Type.Array(
                Type.Object({
                  id: Type.String(),
                  createdAt: Timestamp,
                  expiresAt: Timestamp,
                  usesLeft: Type.Integer(),
                  labels: Labels,
                  approve: Type.Boolean({ description: 'Who joins with it waits for approval.' }),
                }),
              ),
            }),
            ...problems(),
          },
        },
      },
      async () => ({
        items: coordinator.tokens.list().map(({ id, createdAtMs, expiresAtMs, usesLeft, labels, approve }) => ({
          id,
          createdAt: timestamp(createdAtMs),
          expiresAt: timestamp(expiresAtMs),
          usesLeft,
          labels,
          approve,
        })),
      }),
    );

    api.delete(
      '/v1/tokens/:id',
      {
        schema: {
          tags,
          summary: 'Revoke a token. Devices that joined with it stay',
          operationId: 'revokeToken',
          params: IdParams,
          response: { 204: Type.Null({ description: 'Revoked.' }), ...problems('not-found') },
        },
      },
      async ({ params }, reply) => {
        await coordinator.tokens.revoke(params.id);
        return reply.code(204).send(null);
      },
    );
  };
