import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { createDetectionHead, leastByte } from '../../src/stages/detection-head.ts';
import { boxStride } from '../../src/stages/nms.ts';
import { logit, type OutputTensor, sigmoid } from '../../src/stages/quantization.ts';

const quantization = { scale: 0.1, zeroPoint: 128 };
const everything = { left: 0, top: 0, right: 100, bottom: 200 };
const limits = { minScore: 0.5, maxDetections: 100, within: everything };
/** Two anchors on an input of 100 x 200: cy, cx, height, width. */
const anchors = Float32Array.from([0.25, 0.5, 0.1, 0.2, 0.75, 0.5, 0.1, 0.2]);

function aHead(change: Partial<Parameters<typeof createDetectionHead>[0]> = {}) {
  return createDetectionHead({
    nms: { iou: 0.5, perClass: true, maxDetections: 100 },
    anchors,
    width: 100,
    height: 200,
    reported: [true, true],
    boxQuantization: quantization,
    logitQuantization: quantization,
    ...change,
  });
}

const rows = (packed: Float32Array) =>
  Array.from({ length: packed.length / boxStride }, (_, i) => [...packed.subarray(i * boxStride, (i + 1) * boxStride)]);
const bytes = (...tenths: number[]) => Uint8Array.from(tenths, (value) => 128 + value);

describe('a detection head', () => {
  it('decodes a box as the centre moved by shares of the anchor and its size by powers of e', () => {
    // ty 1: one anchor height (20 px) down; tx -.5: half an anchor width (10 px) left; th 0: as the anchor; tw ln 2 = .7.
    const [row] = rows(aHead()(bytes(10, -5, 0, 7, 0, 0, 0, 0), bytes(-50, 30, -50, -50), limits));
    const width = 20 * Math.exp(0.7);
    expect(row?.[0]).toBe(1);
    expect(row?.[1]).toBeCloseTo(sigmoid(3), 6);
    const expected = [40 - width / 2, 70 - 10, 40 + width / 2, 70 + 10];
    expected.forEach((edge, i) => {
      expect(row?.[2 + i]).toBeCloseTo(edge, 3);
    });
  });

  it('gives the same for floats as for the bytes that stand for them', () => {
    const random = seededRandom(7);
    const boxes = Uint8Array.from({ length: 8 }, () => 118 + random.next() * 20);
    const logits = Uint8Array.from({ length: 4 }, () => 100 + random.next() * 100);
    const real = (values: Uint8Array) => Float32Array.from(values, (byte) => (byte - 128) * 0.1);
    const fromBytes = rows(aHead()(boxes, logits, { ...limits, minScore: 0.1 }));
    const fromFloats = rows(aHead()(real(boxes), real(logits), { ...limits, minScore: 0.1 }));
    expect(fromBytes.length).toBeGreaterThan(0);
    expect(fromFloats.flat().map((value) => value.toFixed(4))).toEqual(
      fromBytes.flat().map((value) => value.toFixed(4)),
    );
  });

  it('leaves out classes that are not reported, and boxes of which nothing can be seen', () => {
    const still = bytes(0, 0, 0, 0, 0, 0, 0, 0);
    const both = bytes(50, 40, -50, 30);
    expect(rows(aHead()(still, both, limits)).map(([classIndex]) => classIndex)).toEqual([0, 1, 1]);
    const one = aHead({ reported: [false, true] });
    expect(rows(one(still, both, limits)).map(([classIndex]) => classIndex)).toEqual([1, 1]);
    // The second anchor lies below the upper half.
    expect(rows(aHead()(still, both, { ...limits, within: { ...everything, bottom: 100 } }))).toHaveLength(2);
  });

  it('does not report a box that is not a number', () => {
    const boxes = new Float32Array(8).fill(Number.NaN);
    expect(rows(aHead()(boxes, Float32Array.from([9, 9, 9, 9]), limits))).toEqual([]);
    expect(rows(aHead()(new Float32Array(8), new Float32Array(4).fill(Number.NaN), limits))).toEqual([]);
  });

  it('says what is missing when bytes come without their quantization', () => {
    const head = aHead({ boxQuantization: undefined });
    expect(() => head(new Uint8Array(8), new Float32Array(4).fill(9), limits)).toThrow(/boxes.*quantized/);
  });

  it.each<[string, (length: number) => OutputTensor]>([
    ['bytes', (length) => new Uint8Array(length).fill(255)],
    ['floats', (length) => Float32Array.from({ length }, (_, i) => i % 97)],
    ['infinite floats', (length) => new Float32Array(length).fill(Number.POSITIVE_INFINITY)],
  ])('stays fast when every one of 19206 x 90 scores passes: %s', (_, fill) => {
    const count = 19_206;
    const head = aHead({
      anchors: new Float32Array(count * 4).fill(0.5),
      reported: Array.from({ length: 90 }, () => true),
    });
    const startedMs = performance.now();
    const found = rows(head(new Float32Array(count * 4), fill(count * 90), { ...limits, minScore: 0.01 }));
    // Ten milliseconds when nothing else runs; a quadratic suppression would take minutes.
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(100);
  });
});

describe('the least byte', () => {
  it('is the first whose score reaches the threshold', () => {
    for (const minScore of [0.001, 0.05, 0.35, 0.5, 0.9, 0.999]) {
      const least = leastByte(quantization, minScore);
      expect(sigmoid((least - 128) * 0.1)).toBeGreaterThanOrEqual(minScore - 1e-6);
      expect(sigmoid((least - 1 - 128) * 0.1)).toBeLessThan(minScore);
    }
  });

  it('stays within the bytes at the ends', () => {
    expect(leastByte(quantization, 0)).toBe(1);
    expect(leastByte(quantization, 1)).toBe(256);
    expect(logit(0.5)).toBe(0);
  });
});
