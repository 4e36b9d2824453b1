import { GrowingBytes } from '../../bytes/index.ts';

/** From here on a copy costs more than another object does. */
const largeBytes = 4_096;

/**
 * What has come of a frame. Large parts stay where they are, since a frame that carries much is not needed in one; small ones, and those that would keep much
 * larger buffers alive, are copied together. So it holds at most about twice as much as has come.
 */
export class FrameParts {
  #parts: Uint8Array[] = [];
  readonly #small = new GrowingBytes();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(part: Uint8Array): void {
    this.#length += part.length;
    if (part.length < largeBytes || part.length < part.buffer.byteLength / 2) {
      this.#small.push(part);
      return;
    }
    this.#endSmall();
    this.#parts.push(part);
  }

  /** All that has come; the next part is the first of another frame. */
  take(): readonly Uint8Array[] {
    this.#endSmall();
    const parts = this.#parts;
    this.#parts = [];
    this.#length = 0;
    return parts;
  }

  #endSmall(): void {
    if (this.#small.length > 0) this.#parts.push(this.#small.take());
  }
}
