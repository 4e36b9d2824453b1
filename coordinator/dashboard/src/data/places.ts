import type { Camera, Point } from './types.ts';

/** What people drew over a camera's picture, by the names that they gave it. */
export interface Places {
  readonly zones: Readonly<Record<string, readonly Point[]>>;
  readonly lines: Readonly<Record<string, readonly Point[]>>;
}

export function placesOf(camera: Pick<Camera, 'parameters'> | undefined): Places {
  return { zones: shapesIn(camera?.parameters['zones']), lines: shapesIn(camera?.parameters['lines']) };
}

function shapesIn(value: unknown): Record<string, readonly Point[]> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Point[]] => isShape(entry[1])));
}

function isShape(value: unknown): value is readonly Point[] {
  return (
    Array.isArray(value) &&
    value.every(
      (point) => Array.isArray(point) && point.length === 2 && point.every((share) => typeof share === 'number'),
    )
  );
}
