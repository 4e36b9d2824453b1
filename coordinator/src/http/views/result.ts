import { type AnalysisResult, bundleMediaType, decodeResult } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import type { ResultRecord } from '../../domain/index.ts';
import { Box, named, Picture, Timestamp, timestamp } from './schema.ts';

const base = {
  schema: Type.Literal(1),
  pipeline: Type.String(),
  frame: Type.Optional(
    Type.Object(
      { camera: Type.String(), number: Type.Integer(), capturedAtMs: Type.Number() },
      {
        description: 'Of a camera: which of its pictures, and when it was decoded (device clock, ms since the epoch).',
      },
    ),
  ),
};

const Detections = Type.Object({
  ...base,
  kind: Type.Literal('detections'),
  picture: Picture,
  detections: Type.Array(
    Type.Object({
      label: Type.String(),
      score: Type.Number({ description: '0..1' }),
      box: Box,
    }),
    { description: 'Best first.' },
  ),
});

const Classes = Type.Object({
  ...base,
  kind: Type.Literal('classes'),
  picture: Picture,
  classes: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), { description: 'Best first.' }),
});

const Scene = Type.Object({
  ...base,
  kind: Type.Literal('scene'),
  picture: Picture,
  motion: Type.Number({ description: 'The share of the picture that has changed, 0..1.' }),
  looked: Type.Boolean({ description: 'Whether the model has seen this picture. It does not when nothing moves.' }),
  tracks: Type.Array(
    Type.Object({
      track: Type.Integer({ description: 'Number of the thing, the same from picture to picture.' }),
      label: Type.String(),
      score: Type.Number(),
      box: Box,
      zones: Type.Array(Type.String(), { description: 'Zones that it stands in.' }),
      event: Type.Optional(Type.String({ description: 'Id of the event that it is about.' })),
      still: Type.Optional(Type.Boolean({ description: 'It has not moved for a while.' })),
      lost: Type.Optional(Type.Boolean({ description: 'Not found on this picture, and expected there.' })),
    }),
  ),
  unseen: Type.Array(Type.String(), { description: 'Events that go on although their things are not seen just now.' }),
  crossings: Type.Array(
    Type.Object({
      line: Type.String(),
      track: Type.Integer(),
      label: Type.String(),
      direction: Type.Union([Type.Literal('in'), Type.Literal('out')], {
        description: '`in`: from the left to the right hand of the line, from its first point to its second.',
      }),
    }),
  ),
  events: Type.Array(
    Type.Object({
      id: Type.String(),
      phase: Type.Union([Type.Literal('start'), Type.Literal('update'), Type.Literal('end')]),
      label: Type.String(),
      track: Type.Integer(),
      startedAtMs: Type.Number(),
      endedAtMs: Type.Optional(Type.Number()),
      zones: Type.Record(Type.String(), Type.Number(), { description: 'How long it stood in each zone, ms.' }),
      topScore: Type.Number(),
      box: Box,
    }),
    { description: 'What began, changed or ended with this picture.' },
  ),
});

const Empty = Type.Object({ ...base, kind: Type.Literal('empty') }, { description: 'Of the pipeline `noop`.' });

export const Result = named(
  'Result',
  Type.Object({
    id: Type.String(),
    task: Type.Optional(Type.String()),
    attempt: Type.Optional(Type.String()),
    camera: Type.Optional(Type.String()),
    report: Type.Optional(Type.Integer({ description: 'Counts up with every result of a camera on one device.' })),
    device: Type.String(),
    receivedAt: Timestamp,
    analysis: Type.Union([Detections, Classes, Scene, Empty], { description: 'What the pipeline produced.' }),
  }),
);
export type Result = Static<typeof Result.definition>;

/** The proof of a result, as an answer. */
export const BundleFile = {
  description: 'The bundle',
  content: { [bundleMediaType]: { schema: Type.Unsafe<Uint8Array>({ type: 'object' }) } },
};

export function resultView(record: ResultRecord, analysis: AnalysisResult = decodeResult(record.result)): Result {
  const { id, work, device, receivedAtMs } = record;
  return { id, ...work, device, receivedAt: timestamp(receivedAtMs), analysis: analysis as Result['analysis'] };
}
