import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Area, tagPlace } from '../../../src/cli/analyze/tag-place.ts';

const picture = { x: 0, y: 0, width: 400, height: 300 };
const size = { width: 60, height: 12 };

function overlap(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe('the tag of a box', () => {
  test('goes above it, and inside it where the picture ends', () => {
    expect(tagPlace({ x: 50, y: 40, width: 100, height: 90 }, size, picture, [])).toMatchObject({ x: 50, y: 28 });
    expect(tagPlace({ x: 50, y: 5, width: 100, height: 90 }, size, picture, [])).toMatchObject({ x: 50, y: 5 });
  });

  test('stays within the picture at its right edge', () => {
    expect(tagPlace({ x: 390, y: 40, width: 10, height: 90 }, size, picture, [])).toMatchObject({ x: 340 });
  });

  test('never covers another while there is room', () => {
    const coordinate = fc.integer({ min: 0, max: 200 });
    const box = fc.record({
      x: coordinate,
      y: fc.integer({ min: 0, max: 100 }),
      width: coordinate,
      height: coordinate,
    });
    fc.assert(
      fc.property(fc.array(box, { maxLength: 12 }), (boxes) => {
        const taken: Area[] = [];
        for (const each of boxes) {
          const place = tagPlace(each, size, picture, taken);
          expect(taken.some((other) => overlap(place, other))).toBe(false);
          expect(place.y).toBeGreaterThanOrEqual(0);
          expect(place.y + place.height).toBeLessThanOrEqual(picture.height);
          taken.push(place);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is put somewhere even when there is no room left', () => {
    const full = [{ ...picture }];
    expect(tagPlace({ x: 10, y: 290, width: 5, height: 5 }, size, picture, full)).toMatchObject({ x: 10, y: 288 });
  });
});
