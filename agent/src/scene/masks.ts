import type { ModelFrame } from '@shoal/models';
import type { Point } from '@shoal/protocol';

/** Pixels around a mask that are covered too: scaling has mixed into them what lies under it. */
const margin = 1.5;

/** Where a picture of one placement is made black: pairs of first and last byte of each stretch. */
interface Stretches {
  readonly key: string;
  readonly bytes: readonly (readonly [from: number, to: number])[];
}

/** Makes parts of a picture black, so that nobody ever sees what is there: neither a model nor a person. */
export class Masks {
  readonly #polygons: readonly (readonly Point[])[];
  #stretches: Stretches = { key: '', bytes: [] };

  constructor(polygons: readonly (readonly Point[])[]) {
    this.#polygons = polygons;
  }

  /** Writes into the frame's pixels. `width` is that of the model's input, pixels. */
  cover({ pixels, placement }: ModelFrame, width: number): void {
    if (this.#polygons.length === 0) return;
    const key = `${width} ${Object.values(placement).join(' ')}`;
    if (this.#stretches.key !== key) this.#stretches = { key, bytes: this.#find(placement, width, pixels.length / 3) };
    for (const [from, to] of this.#stretches.bytes) pixels.fill(0, from, to);
  }

  #find(placement: ModelFrame['placement'], width: number, count: number): readonly (readonly [number, number])[] {
    const covered = new Uint8Array(count);
    const { sourceWidth, sourceHeight, scaleX, scaleY, offsetX, offsetY } = placement;
    for (const polygon of this.#polygons) {
      coverPolygon(
        polygon.map(([x, y]) => [x * sourceWidth * scaleX + offsetX, y * sourceHeight * scaleY + offsetY]),
        covered,
        width,
      );
    }
    return stretchesOf(covered);
  }
}

/** All within it, however it crosses itself, and all near its edge. Corners in pixels of the input. */
function coverPolygon(corners: readonly Point[], covered: Uint8Array, width: number): void {
  const height = covered.length / width;
  const [left, right] = span(
    corners.map(([x]) => x),
    width,
  );
  const [top, bottom] = span(
    corners.map(([, y]) => y),
    height,
  );
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const middle: Point = [column + 0.5, row + 0.5];
      if (windings(middle, corners) !== 0 || isNear(middle, corners)) covered[row * width + column] = 1;
    }
  }
}

/** First pixel and the one after the last that may be near. */
function span(values: readonly number[], size: number): readonly [number, number] {
  const first = Math.max(0, Math.floor(Math.min(...values) - margin));
  return [first, Math.min(size, Math.ceil(Math.max(...values) + margin))];
}

/** How often the polygon goes around the point. */
function windings([x, y]: Point, corners: readonly Point[]): number {
  let turns = 0;
  for (const [i, [x2, y2]] of corners.entries()) {
    const [x1, y1] = corners.at(i - 1) as Point;
    const left = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1);
    if (y1 <= y && y2 > y && left > 0) turns += 1;
    if (y1 > y && y2 <= y && left < 0) turns -= 1;
  }
  return turns;
}

function isNear([x, y]: Point, corners: readonly Point[]): boolean {
  return corners.some(([x2, y2], i) => {
    const [x1, y1] = corners.at(i - 1) as Point;
    const lengthSquared = (x2 - x1) ** 2 + (y2 - y1) ** 2;
    const along = lengthSquared === 0 ? 0 : ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / lengthSquared;
    const share = Math.max(0, Math.min(1, along));
    return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1)) <= margin;
  });
}

function stretchesOf(covered: Uint8Array): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let pixel = 0; pixel < covered.length; pixel++) {
    if (!covered[pixel]) continue;
    const last = found.at(-1);
    if (last?.[1] === pixel * 3) last[1] += 3;
    else found.push([pixel * 3, pixel * 3 + 3]);
  }
  return found;
}
