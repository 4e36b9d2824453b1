import { type Static, Type } from 'typebox';
import type { EventFilter } from '../../domain/index.ts';
import { sendEvents } from '../event-stream.ts';
import type { Resource } from '../resource.ts';
import { Event, eventView, IdParams, PageQuery, pageOf, problems, Timestamp } from '../views/index.ts';

const tags = ['events'];

const word = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 128, description }));

const what = {
  camera: word('Only of this camera.'),
  label: word('Only of this label, for example `person`.'),
};

const EventQuery = Type.Object(
  {
    ...PageQuery,
    ...what,
    zone: word('Only those that entered this zone.'),
    after: Type.Optional(Timestamp),
    before: Type.Optional(Timestamp),
  },
  { additionalProperties: false },
);

export const events: Resource = (context) => async (api) => {
  const { coordinator } = context;

  api.get(
    '/v1/events',
    {
      schema: {
        tags,
        summary: 'List what went on before the cameras, newest first',
        description: '`after` and `before` are about the start of an event.',
        operationId: 'listEvents',
        querystring: EventQuery,
        response: { 200: pageOf(Event.ref), ...problems() },
      },
    },
    async ({ query }) => {
      const { limit = 50, cursor, ...filter } = query;
      const page = await coordinator.events.list({ limit, ...(cursor && { cursor }), ...filterOf(filter) });
      return { ...page, items: page.items.map(eventView) };
    },
  );

  api.get(
    '/v1/events/stream',
    {
      schema: {
        tags,
        summary: 'Follow events, as they start, change and end',
        description: 'Server-sent events: `event` with an Event. A slow reader loses the oldest.',
        operationId: 'followEvents',
        produces: ['text/event-stream'],
        querystring: Type.Object(what, { additionalProperties: false }),
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problems(),
        },
      },
    },
    async ({ query }, reply) =>
      sendEvents(reply, context, async function* (signal) {
        for await (const event of coordinator.events.watch(query, signal)) {
          yield { event: 'event', data: eventView(event) };
        }
      }),
  );

  api.get(
    '/v1/events/:id',
    {
      schema: {
        tags,
        summary: 'Get an event',
        operationId: 'getEvent',
        params: IdParams,
        response: { 200: Event.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => eventView(await coordinator.events.get(params.id)),
  );
};

function filterOf({ after, before, ...filter }: Omit<Static<typeof EventQuery>, 'limit' | 'cursor'>): EventFilter {
  return {
    ...filter,
    ...(after !== undefined && { fromMs: Date.parse(after) }),
    ...(before !== undefined && { toMs: Date.parse(before) }),
  };
}
