import { Type } from 'typebox';
import type { Resource } from '../resource.ts';
import { problems } from '../views/index.ts';

const tags = ['system'];

const Health = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
  checks: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() })),
  devices: Type.Object({ online: Type.Integer(), known: Type.Integer() }),
  tasks: Type.Object({ queued: Type.Integer(), running: Type.Integer() }),
});

export const system: Resource =
  ({ coordinator, metrics, options }) =>
  async (api) => {
    api.get(
      '/v1/version',
      {
        schema: {
          tags,
          summary: 'Version of Shoal, and who this coordinator is',
          operationId: 'getVersion',
          security: [],
          response: {
            200: Type.Object({
              version: Type.String(),
              api: Type.Literal('v1'),
              coordinator: Type.String({ description: 'Id, derived from its public key.' }),
            }),
            ...problems(),
          },
        },
      },
      async () => ({ version: options.version, api: 'v1' as const, coordinator: coordinator.identity.id }),
    );

    api.get(
      '/v1/health',
      {
        schema: {
          tags,
          summary: 'Whether the coordinator can do its work',
          description: '200 when all checks pass, 503 when one does not; the same body either way.',
          operationId: 'getHealth',
          security: [],
          response: { ...problems(), 200: Health, 503: Health },
        },
      },
      async (_request, reply) => {
        const { status, checks, devices, tasks } = coordinator.health();
        return reply
          .code(status === 'ok' ? 200 : 503)
          .header('cache-control', 'no-store')
          .send({ status, checks: { ...checks }, devices, tasks });
      },
    );

    api.get(
      '/metrics',
      {
        schema: {
          tags,
          summary: 'Metrics for Prometheus',
          description: 'Text exposition format. docs/metrics.md says what each means.',
          operationId: 'getMetrics',
          response: {
            200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } },
            ...problems(),
          },
        },
      },
      async (_request, reply) => reply.type(metrics.contentType).send(await metrics.exposition()),
    );
  };
