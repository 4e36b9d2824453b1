/** A box in a packed list: class, score, left, top, right, bottom. */
export const boxStride = 6;

export interface NmsOptions {
  /** A box that overlaps a stronger one by more than this (intersection over union, 0..1) is dropped. */
  readonly iou: number;
  /** Whether boxes of different classes leave each other alone. */
  readonly perClass: boolean;
  /** Most boxes kept. */
  readonly limit: number;
}

/**
 * Greedy non-maximum suppression. `boxes` is packed (see {@link boxStride}) and sorted by falling score; the kept ones are
 * returned in the same form. The cost is bounded by boxes x `limit`.
 */
export function suppressOverlaps(boxes: Float32Array, options: NmsOptions): Float32Array<ArrayBuffer> {
  const count = Math.floor(boxes.length / boxStride);
  const kept = new Float32Array(Math.min(count, options.limit) * boxStride);
  let end = 0;
  for (let i = 0; i < count && end < kept.length; i++) {
    const at = i * boxStride;
    if (overlapsKept(boxes, at, kept, end, options)) continue;
    for (let j = 0; j < boxStride; j++) kept[end + j] = boxes[at + j] as number;
    end += boxStride;
  }
  return kept.slice(0, end);
}

function overlapsKept(boxes: Float32Array, at: number, kept: Float32Array, end: number, options: NmsOptions): boolean {
  const klass = boxes[at] as number;
  const left = boxes[at + 2] as number;
  const top = boxes[at + 3] as number;
  const right = boxes[at + 4] as number;
  const bottom = boxes[at + 5] as number;
  const area = (right - left) * (bottom - top);
  for (let k = 0; k < end; k += boxStride) {
    if (options.perClass && kept[k] !== klass) continue;
    const keptLeft = kept[k + 2] as number;
    const keptTop = kept[k + 3] as number;
    const keptRight = kept[k + 4] as number;
    const keptBottom = kept[k + 5] as number;
    const width = Math.min(right, keptRight) - Math.max(left, keptLeft);
    const height = Math.min(bottom, keptBottom) - Math.max(top, keptTop);
    if (width <= 0 || height <= 0) continue;
    const shared = width * height;
    // shared / union > iou, without the division
    if (shared > options.iou * (area + (keptRight - keptLeft) * (keptBottom - keptTop) - shared)) return true;
  }
  return false;
}
