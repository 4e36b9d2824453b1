import { describe, expect, it } from 'vitest';
import { generateAnchors } from '../../src/stages/anchors.ts';

const efficientDet = { minLevel: 3, maxLevel: 7, scalesPerOctave: 3, aspectRatios: [1, 2, 0.5], anchorScale: 3 };

describe('generateAnchors', () => {
  it.each([
    [320, 19_206],
    [384, 27_621],
    [448, 37_629],
  ])('gives as many anchors as EfficientDet-Lite has outputs at %i pixels', (size, count) => {
    expect(generateAnchors(efficientDet, size, size)).toHaveLength(count * 4);
  });

  it('starts with the scales and ratios of the first cell, as in the constant of the TFLite file', () => {
    const first = generateAnchors(efficientDet, 320, 320).slice(0, 16);
    const fromFile = [
      [0.0125, 0.0125, 0.075, 0.075],
      [0.0125, 0.0125, 0.053033, 0.106066],
      [0.0125, 0.0125, 0.106066, 0.053033],
      [0.0125, 0.0125, 0.0944941, 0.0944941],
    ].flat();
    for (const [i, value] of fromFile.entries()) expect(first[i]).toBeCloseTo(value, 6);
  });

  it('rounds the cells of a level up, so that the last level of 320 pixels has 3 x 3', () => {
    const last = generateAnchors(efficientDet, 320, 320).slice(-4);
    const fromFile = [0.8333333, 0.8333334, 2.2449241, 1.122462];
    for (const [i, value] of fromFile.entries()) expect(last[i]).toBeCloseTo(value, 6);
  });

  it('keeps rows and columns apart for an input that is not square', () => {
    const anchors = generateAnchors({ ...efficientDet, maxLevel: 3, scalesPerOctave: 1, aspectRatios: [1] }, 32, 16);
    expect(anchors).toHaveLength(2 * 4 * 4);
    expect([...anchors.slice(0, 4)]).toEqual([0.25, 0.125, 1.5, 0.75]);
    expect([...anchors.slice(-4)]).toEqual([0.75, 0.875, 1.5, 0.75]);
  });
});
