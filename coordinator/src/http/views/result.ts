import { type AnalysisResult, bundleMediaType, decodeResult } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import type { ResultRecord } from '../../domain/index.ts';
import { named, Timestamp, timestamp } from './schema.ts';

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

const Picture = Type.Object(
  { width: Type.Integer(), height: Type.Integer() },
  { description: 'Size of the analysed picture, pixels. Boxes are in its coordinates.' },
);

const Detections = Type.Object({
  ...base,
  kind: Type.Literal('detections'),
  picture: Picture,
  detections: Type.Array(
    Type.Object({
      label: Type.String(),
      score: Type.Number({ description: '0..1' }),
      box: Type.Object(
        { x: Type.Number(), y: Type.Number(), width: Type.Number(), height: Type.Number() },
        { description: 'Pixels: left, top, width, height.' },
      ),
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
    analysis: Type.Union([Detections, Classes, Empty], { description: 'What the pipeline produced.' }),
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
