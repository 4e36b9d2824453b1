import { Type } from 'typebox';
import type { Resource } from '../resource.ts';
import { IdParams, problems, Webhook, WebhookRequest, webhookSpec, webhookView } from '../views/index.ts';

const tags = ['webhooks'];

export const webhooks: Resource =
  ({ coordinator, waits }) =>
  async (api) => {
    api.post(
      '/v1/webhooks',
      {
        schema: {
          tags,
          summary: 'Be told of events by requests to a URL',
          description:
            'Each event that starts, changes or ends is a POST of a CloudEvent (1.0, structured JSON), signed as Standard Webhooks does with `secret`, which is shown in this answer only. An answer 200..299 takes it; otherwise it is tried again for a day.',
          operationId: 'createWebhook',
          body: WebhookRequest.definition,
          response: {
            201: Type.Object({ ...Webhook.definition.properties, secret: Type.String() }),
            ...problems('input.unsupported', 'auth.forbidden', 'not-found', 'queue.full'),
          },
        },
      },
      async ({ body }, reply) => {
        const { secret, ...view } = await coordinator.webhooks.create(webhookSpec(body));
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({ ...webhookView(view), secret });
      },
    );

    api.get(
      '/v1/webhooks',
      {
        schema: {
          tags,
          summary: 'List the webhooks, and how their deliveries do, without their secrets',
          operationId: 'listWebhooks',
          response: { 200: Type.Object({ items: Type.Array(Webhook.ref) }), ...problems() },
        },
      },
      async () => ({ items: coordinator.webhooks.list().map(webhookView) }),
    );

    api.delete(
      '/v1/webhooks/:id',
      {
        schema: {
          tags,
          summary: 'Remove a webhook. What waits for it is not sent any more',
          operationId: 'removeWebhook',
          params: IdParams,
          response: { 204: Type.Null({ description: 'Removed.' }), ...problems('not-found') },
        },
      },
      async ({ params }, reply) => {
        await coordinator.webhooks.remove(params.id);
        return reply.code(204).send(null);
      },
    );

    api.post(
      '/v1/webhooks/:id/test',
      {
        schema: {
          tags,
          summary: 'Send a test to a webhook now',
          description: 'One try of a CloudEvent of type `dev.shoal.webhook.test`. The answer says what became of it.',
          operationId: 'testWebhook',
          params: IdParams,
          response: {
            200: Type.Object({
              delivered: Type.Boolean(),
              status: Type.Optional(Type.Integer({ description: 'Of the answer, when there was one.' })),
              reason: Type.Optional(Type.String({ description: 'Why it was not delivered.' })),
              tookMs: Type.Number(),
            }),
            ...problems('not-found', 'rate-limited'),
          },
        },
      },
      async ({ params }, reply) => {
        const { signal, close } = waits.open(reply);
        try {
          return await coordinator.webhooks.test(params.id, signal);
        } finally {
          close();
        }
      },
    );
  };
