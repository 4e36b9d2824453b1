import type { ModelFrame } from '@shoal/models';
import type { Point } from '@shoal/protocol';
import { isWithin } from './geometry.ts';

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
    const found: [number, number][] = [];
    for (let pixel = 0; pixel < count; pixel++) {
      const [x, y] = [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
      const point: Point = [
        (x - placement.offsetX) / placement.scaleX / placement.sourceWidth,
        (y - placement.offsetY) / placement.scaleY / placement.sourceHeight,
      ];
      if (!this.#polygons.some((polygon) => isWithin(point, polygon))) continue;
      const last = found.at(-1);
      if (last?.[1] === pixel * 3) last[1] += 3;
      else found.push([pixel * 3, pixel * 3 + 3]);
    }
    return found;
  }
}
