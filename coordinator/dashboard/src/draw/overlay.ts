import { percent } from '../data/format.ts';
import type { Point, Seen } from '../data/types.ts';
import { onPictures } from './colours.ts';

const font = '500 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const labelHeight = 18;
/** In a crowd, names of small things would hide each other and the picture. CSS pixels. */
const crowd = 4;
const smallWidth = 44;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Draws what was seen over a picture: boxes with their names. Things that stand still are drawn thinner, those that are only expected are dashed.
 * @param size of the drawing, CSS pixels
 * @param picture of the analysed picture, in whose pixels boxes are
 */
export function drawSeen(context: CanvasRenderingContext2D, size: Size, picture: Size, seen: readonly Seen[]): void {
  const scaleX = size.width / picture.width;
  const scaleY = size.height / picture.height;
  context.font = font;
  context.textBaseline = 'middle';
  context.strokeStyle = onPictures.accent;
  for (const thing of seen) {
    if (!thing.box) continue;
    const { x, y, width, height } = thing.box;
    const left = x * scaleX;
    const top = y * scaleY;
    context.lineWidth = thing.still || thing.lost ? 1 : 2;
    context.setLineDash(thing.lost ? [4, 4] : []);
    context.globalAlpha = thing.lost ? 0.7 : 1;
    context.strokeRect(left, top, width * scaleX, height * scaleY);
    const crowded = seen.length > crowd && width * scaleX < smallWidth;
    if (!thing.lost && !crowded) drawLabel(context, size, nameOf(thing), left, top);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function nameOf({ label, score, track }: Seen): string {
  return track === undefined ? `${label} ${percent(score)}` : `${label} ${track}`;
}

function drawLabel(context: CanvasRenderingContext2D, size: Size, text: string, left: number, top: number): void {
  const width = context.measureText(text).width + 10;
  const x = Math.max(0, Math.min(left - 1, size.width - width));
  const y = top >= labelHeight ? top - labelHeight : top;
  context.fillStyle = onPictures.accent;
  context.fillRect(x, y, width, labelHeight);
  context.fillStyle = onPictures.onAccent;
  context.fillText(text, x + 5, y + labelHeight / 2 + 0.5);
}

/** Zones and lines, quietly: they are there all the time. */
export function drawPlaces(
  context: CanvasRenderingContext2D,
  size: Size,
  places: {
    readonly zones: Readonly<Record<string, readonly Point[]>>;
    readonly lines: Readonly<Record<string, readonly Point[]>>;
  },
): void {
  context.fillStyle = 'rgb(255 255 255 / 7%)';
  for (const points of Object.values(places.zones)) {
    trace(context, size, points);
    context.closePath();
    context.fill();
    strokeOnAnything(context);
  }
  for (const points of Object.values(places.lines)) {
    trace(context, size, points);
    strokeOnAnything(context);
  }
}

/** White with a dark seam: it is seen on snow and at night. */
function strokeOnAnything(context: CanvasRenderingContext2D): void {
  context.lineWidth = 3;
  context.strokeStyle = 'rgb(0 0 0 / 40%)';
  context.stroke();
  context.lineWidth = 1.25;
  context.strokeStyle = 'rgb(255 255 255 / 90%)';
  context.stroke();
}

function trace(context: CanvasRenderingContext2D, { width, height }: Size, points: readonly Point[]): void {
  context.beginPath();
  for (const [i, [x, y]] of points.entries()) {
    if (i === 0) context.moveTo(x * width, y * height);
    else context.lineTo(x * width, y * height);
  }
}
