import { type AnalysisResult, decodeResult, encodeResult, fromUtf8, utf8 } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../support/refusals.ts';

const picture = { width: 640, height: 480 };
const detections: AnalysisResult = {
  schema: 1,
  kind: 'detections',
  pipeline: 'detect',
  picture,
  detections: [{ label: 'dog', score: 0.9123, box: { x: 1.5, y: 2.25, width: 30, height: 40 } }],
  frame: { camera: 'cam_1', number: 7, capturedAtMs: 1_767_225_600_000 },
};
const results: readonly AnalysisResult[] = [
  detections,
  { schema: 1, kind: 'detections', pipeline: 'detect', picture, detections: [] },
  { schema: 1, kind: 'classes', pipeline: 'classify', picture, classes: [{ label: 'tabby', score: 0.5 }] },
  { schema: 1, kind: 'empty', pipeline: 'noop' },
];

describe('a result', () => {
  it.each(results)('comes back as it was: $kind', (result) => {
    expect(decodeResult(encodeResult(result))).toEqual(result);
  });

  it('is the same bytes however it was put together', () => {
    const { schema, kind, pipeline, ...rest } = detections;
    const reordered = { ...rest, pipeline, kind, schema } as AnalysisResult;
    expect(fromUtf8(encodeResult(reordered))).toBe(fromUtf8(encodeResult(detections)));
  });

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['another schema', JSON.stringify({ ...detections, schema: 2 })],
    ['no pipeline', JSON.stringify({ ...detections, pipeline: undefined })],
    ['an unknown kind', JSON.stringify({ ...detections, kind: 'poses' })],
    ['no picture', JSON.stringify({ ...detections, picture: null })],
    ['a picture without a height', JSON.stringify({ ...detections, picture: { width: 1 } })],
    ['detections that are no list', JSON.stringify({ ...detections, detections: {} })],
    ['a detection that is null', JSON.stringify({ ...detections, detections: [null] })],
    ['a detection without a box', JSON.stringify({ ...detections, detections: [{ label: 'dog', score: 1 }] })],
    [
      'a box with a text in it',
      JSON.stringify({
        ...detections,
        detections: [{ label: 'dog', score: 1, box: { x: '1', y: 1, width: 1, height: 1 } }],
      }),
    ],
    [
      'a class without a score',
      JSON.stringify({ schema: 1, kind: 'classes', pipeline: 'c', picture, classes: [{ label: 'x' }] }),
    ],
    ['a frame without a camera', JSON.stringify({ ...detections, frame: { number: 1, capturedAtMs: 1 } })],
    ['a frame that is null', JSON.stringify({ ...detections, frame: null })],
  ])('is refused when it is or has %s', (_what, text) => {
    expect(refusalOf(() => decodeResult(utf8(text)))).toBe('message.malformed');
  });
});
