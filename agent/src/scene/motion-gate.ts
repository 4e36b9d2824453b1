import type { Point, SceneMotion } from '@shoal/protocol';
import { isWithin } from './geometry.ts';

/** RGB `uint8` [height, width, 3], and which part of it is picture, pixels. */
export interface MotionPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Parts that have to change, for the picture to count as moving. */
const leastParts = 2;
/** Cells along the longer side of the picture. */
const cellsAlong = 48;
/** Every so many pixels of a cell are looked at, both ways. */
const stride = 2;
/** What does not move becomes background within about this time, ms; how restless a part is, within the other. */
const backgroundMs = 3_000;
const restlessMs = 20_000;
/** A part that is restless by nature (leaves, water) has to change by so many times of what it usually does. */
const restlessTimes = 4;
/** When more than this share changes at once it is the light or the camera, and the background begins anew. */
const wholePicture = 0.6;

/** The share of a first picture, of which nobody knows what has changed. */
export const unknownShare = -1;

/** Tells pictures on which something moves from those on which nothing does: brightness in cells, against a background that follows slowly. */
export class MotionGate {
  readonly #options: Pick<SceneMotion, 'threshold' | 'masks'>;
  #cells = new Float32Array(0);
  #background = new Float32Array(0);
  #restless = new Float32Array(0);
  #masked: Uint8Array = new Uint8Array(0);
  #lastMs = 0;

  constructor(options: Pick<SceneMotion, 'threshold' | 'masks'>) {
    this.#options = options;
  }

  /** The share of the picture that has changed, 0..1; {@link unknownShare} for the first picture. `moves` is whether that is enough. */
  look(picture: MotionPicture, atMs: number): { readonly share: number; readonly moves: boolean } {
    const columns = this.#measure(picture);
    if (this.#background.length !== this.#cells.length) return this.#begin(columns, atMs);
    const offset = this.#lightOffset();
    const elapsedMs = Math.max(0, atMs - this.#lastMs);
    this.#lastMs = atMs;
    const changed = this.#compare(offset, elapsedMs);
    const share = changed / this.#cells.length;
    if (share > wholePicture) this.#background.set(this.#cells);
    return { share, moves: changed >= leastParts };
  }

  #begin(columns: number, atMs: number): { readonly share: number; readonly moves: boolean } {
    this.#background = this.#cells.slice();
    this.#restless = new Float32Array(this.#cells.length);
    this.#masked = maskedCells(this.#options.masks, columns, this.#cells.length / columns);
    this.#lastMs = atMs;
    return { share: unknownShare, moves: false };
  }

  /** Mean brightness of each cell. Returns the number of columns. */
  #measure({ pixels, width, left, top, right, bottom }: MotionPicture): number {
    const size = Math.max(2, Math.ceil(Math.max(right - left, bottom - top) / cellsAlong));
    const columns = Math.max(1, Math.floor((right - left) / size));
    const rows = Math.max(1, Math.floor((bottom - top) / size));
    if (this.#cells.length !== columns * rows) this.#cells = new Float32Array(columns * rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x0, y0] = [left + column * size, top + row * size];
        let [sum, count] = [0, 0];
        for (let y = y0; y < Math.min(y0 + size, bottom); y += stride) {
          for (let x = x0; x < Math.min(x0 + size, right); x += stride) {
            const at = (y * width + x) * 3;
            // Green carries most of the brightness, and alone is a third of the reading.
            sum += pixels[at + 1] as number;
            count += 1;
          }
        }
        this.#cells[row * columns + column] = sum / count;
      }
    }
    return columns;
  }

  /** How much brighter all of the picture became: the median of the differences. */
  #lightOffset(): number {
    const differences = this.#cells.map((value, cell) => value - (this.#background[cell] as number)).sort();
    return differences[differences.length >> 1] ?? 0;
  }

  #compare(offset: number, elapsedMs: number): number {
    const { threshold } = this.#options;
    const follow = 1 - Math.exp(-elapsedMs / backgroundMs);
    const learn = 1 - Math.exp(-elapsedMs / restlessMs);
    let changed = 0;
    for (let cell = 0; cell < this.#cells.length; cell++) {
      const difference = (this.#cells[cell] as number) - (this.#background[cell] as number);
      const size = Math.abs(difference - offset);
      const usual = this.#restless[cell] as number;
      if (!this.#masked[cell] && size > Math.max(threshold, restlessTimes * usual)) changed += 1;
      this.#restless[cell] = usual + learn * (Math.min(size, 4 * threshold) - usual);
      this.#background[cell] = (this.#background[cell] as number) + follow * difference;
    }
    return changed;
  }
}

/** 1 for each cell whose middle is masked. */
function maskedCells(masks: readonly (readonly Point[])[], columns: number, rows: number): Uint8Array {
  const masked = new Uint8Array(columns * rows);
  for (let cell = 0; cell < masked.length; cell++) {
    const middle: Point = [((cell % columns) + 0.5) / columns, (Math.floor(cell / columns) + 0.5) / rows];
    if (masks.some((mask) => isWithin(middle, mask))) masked[cell] = 1;
  }
  return masked;
}
