import type { Box } from '@shoal/models';
import type { Point } from '@shoal/protocol';

/** Intersection over union, 0..1. */
export function overlap(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** The part of `a` that lies within `b`, 0..1. */
export function shareWithin(a: Box, b: Box): number {
  const area = areaOf(a);
  return area === 0 ? 0 : sharedArea(a, b) / area;
}

/** The box made larger on each side by so many pixels. */
export function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** Where a thing stands: the middle of the lower edge of its box. */
export function footOf(
  { x, y, width, height }: Box,
  picture: { readonly width: number; readonly height: number },
): Point {
  return [(x + width / 2) / picture.width, (y + height) / picture.height];
}

/** Whether the point lies in the polygon, by the even-odd rule. */
export function isWithin([x, y]: Point, polygon: readonly Point[]): boolean {
  let within = false;
  for (const [i, [x1, y1]] of polygon.entries()) {
    const [x2, y2] = polygon.at(i - 1) as Point;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  }
  return within;
}

/** How far the point lies from the line through `from` and `to`: more than 0 on its right hand as one looks from `from` to `to`. */
export function sideOf([x, y]: Point, from: Point, to: Point): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  return (dx * (y - from[1]) - dy * (x - from[0])) / Math.hypot(dx, dy);
}

function areaOf({ width, height }: Box): number {
  return width * height;
}

function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width <= 0 || height <= 0 ? 0 : width * height;
}
