import type { ModelFrame } from '../stages/index.ts';

/**
 * Frames' pixels in shared memory, used again and again: a fresh 320 x 320 frame costs 0.18 ms in page faults, as much as 3 %
 * of the whole inference.
 */
export class FramePool {
  readonly #limit: number;
  readonly #idle: Uint8Array[] = [];

  /** `limit`: most idle frames kept. More may be in use at the same time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Pixels of this many bytes in shared memory. What they hold is left over from whoever had them last. */
  take(sizeBytes: number): Uint8Array {
    const at = this.#idle.findIndex((pixels) => pixels.length === sizeBytes);
    const [pixels] = at < 0 ? [] : this.#idle.splice(at, 1);
    return pixels ?? new Uint8Array(new SharedArrayBuffer(sizeBytes));
  }

  /** Only by who took the frame, once, and after every run on it is over. */
  give({ pixels }: Pick<ModelFrame, 'pixels'>): void {
    this.#idle.push(pixels);
    // The oldest goes: it may be of a model that is not used any more.
    if (this.#idle.length > this.#limit) this.#idle.shift();
  }
}
