import type { Box, ModelFrame } from '@shoal/models';

/** What colours a thing has, its upper and its lower half apart: square roots of shares, so that a product of two is how alike they are. */
export type Appearance = Float32Array;

const levels = 4;
const binsOfHalf = levels ** 3;
const samplesAlong = 12;
/** The part of the box that is looked at: at its sides there is much background. */
const inner = 0.7;

/** Reads the colours of a thing off the frame in which it was found. `box` is in pixels of the source picture. */
export function appearanceOf(
  { pixels, placement }: ModelFrame,
  inputWidth: number,
  { x, y, width, height }: Box,
): Appearance {
  const bins = new Float32Array(2 * binsOfHalf);
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  for (let row = 0; row < samplesAlong; row++) {
    const half = row < samplesAlong / 2 ? 0 : binsOfHalf;
    const sourceY = y + height * (0.5 + inner * ((row + 0.5) / samplesAlong - 0.5));
    for (let column = 0; column < samplesAlong; column++) {
      const sourceX = x + width * (0.5 + inner * ((column + 0.5) / samplesAlong - 0.5));
      const at = (Math.floor(sourceY * scaleY + offsetY) * inputWidth + Math.floor(sourceX * scaleX + offsetX)) * 3;
      const bin = (level(pixels[at]) * levels + level(pixels[at + 1])) * levels + level(pixels[at + 2]);
      bins[half + bin] = (bins[half + bin] as number) + 1;
    }
  }
  const total = samplesAlong ** 2;
  return bins.map((count) => Math.sqrt(count / total));
}

/** 0..1: the Bhattacharyya coefficient. */
export function likeness(a: Appearance, b: Appearance): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** What a thing looks like after one more look at it, which counts for this share. */
export function blended(before: Appearance, now: Appearance, share: number): Appearance {
  return before.map((value, i) => Math.sqrt((1 - share) * value ** 2 + share * (now[i] as number) ** 2));
}

function level(value = 0): number {
  return value >> 6;
}
