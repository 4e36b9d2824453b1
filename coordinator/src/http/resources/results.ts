import { Type } from 'typebox';
import { sendEvents } from '../event-stream.ts';
import type { Resource } from '../resource.ts';
import { problems, resultView } from '../views/index.ts';

const tags = ['results'];

export const results: Resource = (context) => async (api) => {
  api.get(
    '/v1/results/events',
    {
      schema: {
        tags,
        summary: 'Follow all results of the fleet, as they become durable',
        description: 'Server-sent events: `result` with a Result. A slow reader loses the oldest.',
        operationId: 'followResults',
        querystring: Type.Object(
          { camera: Type.Optional(Type.String({ minLength: 1, description: 'Only of this camera.' })) },
          { additionalProperties: false },
        ),
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problems(),
        },
      },
    },
    async ({ query }, reply) =>
      sendEvents(reply, context, async function* (signal) {
        for await (const { record, result } of context.coordinator.results.watch(query, signal)) {
          yield { event: 'result', data: resultView(record, result) };
        }
      }),
  );
};
