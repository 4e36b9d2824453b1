import { type Static, Type } from 'typebox';
import { type EventRecord, eventAnswer } from '../../domain/index.ts';
import { Box, named, Picture, Timestamp } from './schema.ts';

export const Event = named(
  'Event',
  Type.Object(
    {
      id: Type.String(),
      camera: Type.String(),
      device: Type.String({ description: 'The device that saw it.' }),
      label: Type.String({ examples: ['person'] }),
      track: Type.Integer({ description: 'Number of the thing among those that its camera follows.' }),
      state: Type.Union([Type.Literal('active'), Type.Literal('ended')]),
      startedAt: Timestamp,
      endedAt: Type.Optional(Timestamp),
      zones: Type.Record(Type.String(), Type.Number(), { description: 'How long it stood in each zone, ms.' }),
      topScore: Type.Number({ description: 'Of the best look at it, 0..1.' }),
      box: Box,
      picture: Picture,
      firstResult: Type.String({ description: 'Result of the camera that told of its beginning.' }),
      lastResult: Type.String({ description: 'Result of the camera that last told of a change.' }),
    },
    { description: "Somebody's or something's stay before a camera. Its results prove it." },
  ),
);
export type Event = Static<typeof Event.definition>;

export const eventView: (event: EventRecord) => Event = eventAnswer;
