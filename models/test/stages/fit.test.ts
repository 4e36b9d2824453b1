import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitPicture } from '../../src/stages/fit.ts';

const at = { width: 320, height: 320 };
const fits = ['letterbox-top-left', 'letterbox-centre', 'stretch', 'centre-crop'] as const;

describe('a picture that is fitted into a model input', () => {
  it('lies in the top left corner with its aspect ratio, when letterboxed there', () => {
    const { from, to, placement } = fitPicture({ ...at, fit: 'letterbox-top-left' }, 1280, 720);
    expect(from).toEqual({ left: 0, top: 0, width: 1280, height: 720 });
    expect(to).toEqual({ left: 0, top: 0, width: 320, height: 180 });
    expect(placement).toEqual({
      sourceWidth: 1280,
      sourceHeight: 720,
      scaleX: 0.25,
      scaleY: 0.25,
      offsetX: 0,
      offsetY: 0,
    });
  });

  it('lies in the middle, when letterboxed there', () => {
    const { to, placement } = fitPicture({ ...at, fit: 'letterbox-centre' }, 200, 400);
    expect(to).toEqual({ left: 80, top: 0, width: 160, height: 320 });
    expect(placement).toMatchObject({ scaleX: 0.8, offsetX: 80, offsetY: 0 });
  });

  it('fills everything, when stretched', () => {
    const { to, placement } = fitPicture({ ...at, fit: 'stretch' }, 640, 160);
    expect(to).toEqual({ left: 0, top: 0, width: 320, height: 320 });
    expect(placement).toMatchObject({ scaleX: 0.5, scaleY: 2 });
  });

  it('gives its middle, when cropped', () => {
    const { from, placement } = fitPicture({ ...at, fit: 'centre-crop' }, 1280, 720);
    expect(from).toEqual({ left: 280, top: 0, width: 720, height: 720 });
    // The left edge of the input is 280 pixels into the picture.
    expect(280 * placement.scaleX + placement.offsetX).toBeCloseTo(0, 9);
  });

  it('is mapped corner to corner, never leaves the input, and is never nothing', () => {
    const side = fc.integer({ min: 1, max: 70_000 });
    fc.assert(
      fc.property(fc.constantFrom(...fits), side, side, (fit, sourceWidth, sourceHeight) => {
        const { from, to, placement } = fitPicture({ ...at, fit }, sourceWidth, sourceHeight);
        expect(Math.min(from.width, from.height, to.width, to.height)).toBeGreaterThanOrEqual(1);
        expect(from.left + from.width).toBeLessThanOrEqual(sourceWidth);
        expect(from.top + from.height).toBeLessThanOrEqual(sourceHeight);
        expect(to.left + to.width).toBeLessThanOrEqual(320);
        expect(to.top + to.height).toBeLessThanOrEqual(320);
        expect(from.left * placement.scaleX + placement.offsetX).toBeCloseTo(to.left, 6);
        expect((from.top + from.height) * placement.scaleY + placement.offsetY).toBeCloseTo(to.top + to.height, 6);
      }),
    );
  });
});
