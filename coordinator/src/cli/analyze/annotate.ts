import type { Result } from '../../http/index.ts';
import { glyphHeight, glyphWidth, textPath } from './glyphs.ts';
import { type Area, tagPlace } from './tag-place.ts';

type Analysis = Result['analysis'];

/** The picture with what was seen drawn on it, as JPEG. `undefined` when there is nothing to draw on. */
export async function annotate(picture: Uint8Array, analysis: Analysis): Promise<Buffer | undefined> {
  if (analysis.kind === 'empty') return undefined;
  const { default: sharp } = await import('sharp');
  const { data, info } = await sharp(picture)
    .autoOrient()
    .flatten({ background: '#fff' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const drawing = overlay(analysis, info.width, info.height);
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
    .composite([{ input: Buffer.from(drawing), left: 0, top: 0 }])
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** SVG of the size of the picture. Boxes are scaled when the analysed picture had another size. */
function overlay(analysis: Exclude<Analysis, { kind: 'empty' }>, width: number, height: number): string {
  const line = Math.max(2, Math.round(Math.min(width, height) / 250));
  const shapes = analysis.kind === 'classes' ? classShapes(analysis, line) : boxShapes(analysis, width, height, line);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
}

function boxShapes(
  analysis: Extract<Analysis, { kind: 'detections' | 'scene' }>,
  width: number,
  height: number,
  line: number,
): string[] {
  const scaleX = width / analysis.picture.width;
  const scaleY = height / analysis.picture.height;
  const dot = line * 0.75;
  const taken: Area[] = [];
  // The best one gets the best place for its tag, and its box on top. Tags cover boxes, never each other.
  const shapes = (analysis.kind === 'scene' ? analysis.tracks : analysis.detections)
    .toSorted((a, b) => b.score - a.score)
    .map(({ label, score, box }) => {
      const area = { x: box.x * scaleX, y: box.y * scaleY, width: box.width * scaleX, height: box.height * scaleY };
      const text = `${label} ${Math.round(score * 100)}%`;
      const place = tagPlace(area, tagSize(text, dot), { x: 0, y: 0, width, height }, taken);
      taken.push(place);
      const colour = colourOf(label);
      const rectangle = `<rect x="${area.x}" y="${area.y}" width="${area.width}" height="${area.height}" fill="none" stroke="${colour}" stroke-width="${line}"/>`;
      return { rectangle, tag: tag(text, place.x, place.y, dot, colour) };
    });
  return [...shapes.toReversed().map(({ rectangle }) => rectangle), ...shapes.map((shape) => shape.tag)];
}

function classShapes(analysis: Extract<Analysis, { kind: 'classes' }>, line: number): string[] {
  return analysis.classes.map(({ label, score }, index) =>
    tag(`${label} ${Math.round(score * 100)}%`, line, line + index * (glyphHeight + 5) * line, line, colourOf(label)),
  );
}

function tag(text: string, x: number, y: number, dot: number, colour: string): string {
  const { width, height } = tagSize(text, dot);
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}"/><path transform="translate(${x + 2 * dot} ${y + 2 * dot}) scale(${dot})" d="${textPath(text)}" fill="#111"/>`;
}

function tagSize(text: string, dot: number): { width: number; height: number } {
  return { width: (text.length * glyphWidth + 3) * dot, height: (glyphHeight + 4) * dot };
}

/** The same label has the same colour everywhere; all are light enough for dark text. */
function colourOf(label: string): string {
  let sum = 0;
  for (const character of label) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `hsl(${(sum * 137) % 360},90%,62%)`;
}
