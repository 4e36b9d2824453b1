/** A rectangle in a picture, px. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Where the tag of a box goes: above it, else inside at its top, below it, or inside at its bottom, left before right; the first
 * place within the picture that covers no tag placed before. When there is none: further down along the left edge of the box.
 */
export function tagPlace(box: Area, size: Pick<Area, 'width' | 'height'>, picture: Area, taken: readonly Area[]): Area {
  const lefts = [box.x, box.x + box.width - size.width].map((x) => clamp(x, picture.width - size.width));
  const tops = [box.y - size.height, box.y, box.y + box.height, box.y + box.height - size.height];
  const places = tops.flatMap((y) => lefts.map((x) => ({ ...size, x, y })));
  const left = lefts[0] ?? 0;
  // A tag may stand in two of these places at once.
  const down = Array.from({ length: 2 * taken.length + 1 }, (_, step) => ({
    ...size,
    x: left,
    y: box.y + step * size.height,
  }));
  const isFree = (place: Area) => isWithin(place, picture) && !taken.some((other) => overlap(place, other));
  return [...places, ...down].find(isFree) ?? { ...size, x: left, y: clamp(box.y, picture.height - size.height) };
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}

function isWithin({ y, height }: Area, picture: Area): boolean {
  return y >= 0 && y + height <= picture.height;
}

function overlap(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
