import type { AnchorDetectionHead } from '../manifest/index.ts';

/**
 * The anchors of an EfficientDet-style pyramid: float32 [N,4], each `cy, cx, height, width` as fractions of the input.
 * Order: levels from fine to coarse, rows, columns, scales, aspect ratios. A level has half the cells of the one before
 * it, rounded up (strided SAME convolutions), so its stride is not always a power of two: 320 / 3 cells at level 7.
 * Source: google/automl `efficientdet/tf2/anchors.py`.
 *
 * @param width Model input width, pixels.
 * @param height Model input height, pixels.
 */
export function generateAnchors(anchors: AnchorDetectionHead['anchors'], width: number, height: number): Float32Array {
  const shapes = anchorShapes(anchors);
  const levels = pyramidLevels(anchors, width, height);
  const count = levels.reduce((sum, level) => sum + level.rows * level.columns * shapes.length, 0);
  const all = new Float32Array(count * 4);
  let at = 0;
  for (const { rows, columns } of levels) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (const shape of shapes) {
          all[at++] = (row + 0.5) / rows;
          all[at++] = (column + 0.5) / columns;
          all[at++] = shape.height / rows;
          all[at++] = shape.width / columns;
        }
      }
    }
  }
  return all;
}

/** Anchor sizes in cells: every scale of the octave with every aspect ratio. */
function anchorShapes(
  anchors: AnchorDetectionHead['anchors'],
): readonly { readonly height: number; readonly width: number }[] {
  return Array.from({ length: anchors.scalesPerOctave }, (_, octave) => {
    const side = anchors.anchorScale * 2 ** (octave / anchors.scalesPerOctave);
    return anchors.aspectRatios.map((ratio) => ({ height: side / Math.sqrt(ratio), width: side * Math.sqrt(ratio) }));
  }).flat();
}

function pyramidLevels(anchors: AnchorDetectionHead['anchors'], width: number, height: number) {
  const levels: { readonly rows: number; readonly columns: number }[] = [];
  let rows = height;
  let columns = width;
  for (let level = 1; level <= anchors.maxLevel; level++) {
    rows = Math.ceil(rows / 2);
    columns = Math.ceil(columns / 2);
    if (level >= anchors.minLevel) levels.push({ rows, columns });
  }
  return levels;
}
