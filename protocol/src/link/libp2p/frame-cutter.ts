import { joined } from '../../bytes/index.ts';
import { ShoalError } from '../../errors/index.ts';
import { FrameParts } from './frame-parts.ts';

/** Before each frame stands its length, 4 bytes, big-endian. */
const lengthBytes = 4;

/** Cuts a stream of bytes into the frames that were written to it. Holds no more than what has come of one frame. */
export class FrameCutter {
  readonly #maxFrameBytes: () => number;
  readonly #onFrame: (parts: readonly Uint8Array[]) => void;
  readonly #held = new FrameParts();
  /** Length of the frame that is being read; `undefined` while its length is. */
  #length: number | undefined;

  /**
   * @param maxFrameBytes asked for each frame: who has not joined may send less
   * @param onFrame is given a frame in the parts in which it came, or as few as they were copied together to
   */
  constructor(maxFrameBytes: () => number, onFrame: (parts: readonly Uint8Array[]) => void) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** @throws `message.too-large` as soon as a frame announces more than is taken; nothing after that can be read. */
  push(bytes: Uint8Array): void {
    let rest = bytes;
    for (;;) {
      const wanted = (this.#length ?? lengthBytes) - this.#held.length;
      if (rest.length < wanted) break;
      const whole = this.#take(rest.subarray(0, wanted));
      rest = rest.subarray(wanted);
      if (this.#length === undefined) this.#length = this.#readLength(joined(whole));
      else {
        this.#length = undefined;
        this.#onFrame(whole);
      }
    }
    if (rest.length > 0) this.#held.push(rest);
  }

  /** What is held and this together. */
  #take(last: Uint8Array): readonly Uint8Array[] {
    if (this.#held.length === 0) return [last];
    this.#held.push(last);
    return this.#held.take();
  }

  #readLength(bytes: Uint8Array): number {
    const length = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(0);
    const limit = this.#maxFrameBytes();
    if (length <= limit) return length;
    throw new ShoalError('message.too-large', `a frame of ${length} bytes was announced; at most ${limit} are taken`);
  }
}

/** The frame with its length before it, in memory of its own: a sender uses its buffer again. */
export function withLength(frame: Uint8Array): Uint8Array {
  return lengthBefore(frame, 0);
}

/** The beginning of a frame, with the length of all of it before it, when `moreBytes` are to follow. */
export function lengthBefore(head: Uint8Array, moreBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(lengthBytes + head.length);
  bytes.writeUInt32BE(head.length + moreBytes, 0);
  bytes.set(head, lengthBytes);
  return bytes;
}
