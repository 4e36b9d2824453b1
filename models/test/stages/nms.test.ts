import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxStride, suppressOverlaps } from '../../src/stages/nms.ts';

type Row = readonly [classIndex: number, score: number, left: number, top: number, right: number, bottom: number];
const pack = (rows: readonly Row[]) => Float32Array.from(rows.flat());
const unpack = (packed: Float32Array) =>
  Array.from({ length: packed.length / boxStride }, (_, i) => [...packed.subarray(i * boxStride, (i + 1) * boxStride)]);
const options = { iou: 0.5, perClass: true, limit: 100 };

describe('non-maximum suppression', () => {
  const strong: Row = [1, 1, 0, 0, 10, 10];

  it('drops a weaker box that overlaps a stronger one by more than the threshold', () => {
    // Shifted by 3 of 10: 70 shared of 130, IoU .538. By 4: 60 of 140, .429.
    const near: Row = [1, 0.5, 3, 0, 13, 10];
    const far: Row = [1, 0.5, 4, 0, 14, 10];
    expect(unpack(suppressOverlaps(pack([strong, near]), options))).toEqual([[...strong]]);
    expect(unpack(suppressOverlaps(pack([strong, far]), options))).toEqual([[...strong], [...far]]);
  });

  it('keeps a box that overlaps by exactly the threshold', () => {
    // A half of the other: IoU .5.
    const half: Row = [1, 0.5, 0, 0, 10, 5];
    expect(unpack(suppressOverlaps(pack([strong, half]), options))).toHaveLength(2);
  });

  it('lets classes be, or not, as it is told', () => {
    const other: Row = [2, 0.5, 0, 0, 10, 10];
    expect(unpack(suppressOverlaps(pack([strong, other]), options))).toHaveLength(2);
    expect(unpack(suppressOverlaps(pack([strong, other]), { ...options, perClass: false }))).toHaveLength(1);
  });

  it('keeps a box that is only overlapped by a dropped one', () => {
    const middle: Row = [1, 0.9, 3, 0, 13, 10];
    const last: Row = [1, 0.8, 6, 0, 16, 10];
    expect(unpack(suppressOverlaps(pack([strong, middle, last]), options))).toEqual([
      [...strong],
      expect.arrayContaining([6, 16]),
    ]);
  });

  it('leaves boxes of which no two overlap, strongest first, and never more than the limit', () => {
    const row = fc
      .tuple(fc.nat(2), fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
      .map(([classIndex, x, y, width, height]): Row => [classIndex, 0, x, y, x + width, y + height]);
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (rows, limit) => {
        const ranked = rows.map(([classIndex, , ...box], i): Row => [classIndex, 1 - i / 64, ...box]);
        const kept = unpack(suppressOverlaps(pack(ranked), { ...options, limit }));
        expect(kept.length).toBeLessThanOrEqual(limit);
        expect(kept.map((one) => one[1])).toEqual(kept.map((one) => one[1]).toSorted((a, b) => (b ?? 0) - (a ?? 0)));
        for (const [i, a] of kept.entries())
          for (const b of kept.slice(i + 1)) if (a[0] === b[0]) expect(overlap(a, b)).toBeLessThanOrEqual(0.5 + 1e-6);
      }),
    );
  });
});

function overlap(a: number[], b: number[]): number {
  const [, , l = 0, t = 0, r = 0, d = 0] = a;
  const [, , l2 = 0, t2 = 0, r2 = 0, d2 = 0] = b;
  const shared = Math.max(0, Math.min(r, r2) - Math.max(l, l2)) * Math.max(0, Math.min(d, d2) - Math.max(t, t2));
  return shared / ((r - l) * (d - t) + (r2 - l2) * (d2 - t2) - shared);
}
