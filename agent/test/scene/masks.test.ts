import { fitPicture } from '@shoal/models';
import type { Point } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { appearanceOf, likeness } from '../../src/scene/appearance.ts';
import { Masks } from '../../src/scene/masks.ts';

const input = { width: 40, height: 40, fit: 'letterbox-top-left', padValue: 127 } as const;
const left: readonly Point[] = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];

/** A white picture of 80x40 pixels in a model's input of 40x40. */
function aFrame() {
  const { placement } = fitPicture(input, 80, 40);
  return { pixels: new Uint8Array(40 * 40 * 3).fill(255), placement };
}

describe('masks', () => {
  it('make black what lies under them, and nothing else', () => {
    const frame = aFrame();
    new Masks([left]).cover(frame, 40);
    const at = (x: number, y: number) => frame.pixels.slice((y * 40 + x) * 3, (y * 40 + x) * 3 + 3);
    expect([at(0, 0), at(19, 19), at(10, 5)]).toEqual([0, 0, 0].map(() => Uint8Array.of(0, 0, 0)));
    // The right half of the picture, and the input below it.
    expect([at(22, 0), at(39, 17), at(0, 22), at(39, 39)]).toEqual(
      [0, 0, 0, 0].map(() => Uint8Array.of(255, 255, 255)),
    );
  });

  it('follow a picture that changes its size', () => {
    const masks = new Masks([left]);
    masks.cover(aFrame(), 40);
    const other = { pixels: new Uint8Array(40 * 40 * 3).fill(255), placement: fitPicture(input, 40, 80).placement };
    masks.cover(other, 40);
    expect(other.pixels.filter((value) => value === 0)).toHaveLength(12 * 40 * 3);
  });

  it('cover what is thin, what crosses itself, and the pixels at their edge', () => {
    const thin = aFrame();
    new Masks([
      [
        [0.5, 0],
        [0.501, 0],
        [0.501, 1],
        [0.5, 1],
      ],
    ]).cover(thin, 40);
    const row = (y: number) => Array.from({ length: 40 }, (_, x) => thin.pixels[(y * 40 + x) * 3]);
    expect(row(5).flatMap((value, x) => (value === 0 ? [x] : []))).toEqual([18, 19, 20, 21]);
    const star = aFrame();
    const corner = (i: number): Point => [
      0.5 + 0.5 * Math.sin(i * 0.8 * Math.PI),
      0.5 - 0.5 * Math.cos(i * 0.8 * Math.PI),
    ];
    new Masks([[0, 1, 2, 3, 4].map(corner)]).cover(star, 40);
    expect(star.pixels[(10 * 40 + 20) * 3]).toBe(0);
  });

  it('cost nothing where there are none', () => {
    const frame = aFrame();
    new Masks([]).cover(frame, 40);
    expect(frame.pixels.every((value) => value === 255)).toBe(true);
  });
});

describe('what a thing looks like', () => {
  const painted = (...colour: [number, number, number]) => {
    const frame = aFrame();
    for (let i = 0; i < frame.pixels.length; i += 3) frame.pixels.set(colour, i);
    return appearanceOf(frame, 40, { x: 10, y: 5, width: 20, height: 30 });
  };

  it('is the same for the same colours and another for others', () => {
    expect(likeness(painted(200, 10, 10), painted(210, 20, 5))).toBeCloseTo(1, 5);
    expect(likeness(painted(200, 10, 10), painted(10, 10, 200))).toBe(0);
  });

  it('is told for a box at the edge of the picture too', () => {
    expect(appearanceOf(aFrame(), 40, { x: 70, y: 30, width: 30, height: 30 }).every(Number.isFinite)).toBe(true);
  });
});
