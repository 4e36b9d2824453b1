/**
 * Cuts a stream of bytes into frames, in shared memory, and keeps the newest: one frame is filled, one is ready, one is with the reader. A frame
 * that nobody took before the next was whole is dropped.
 */
export class FrameCutter {
  readonly #sizeBytes: number;
  #filling: Uint8Array;
  #filled = 0;
  #ready: Uint8Array | undefined;
  #spare: Uint8Array[];
  #taken: Uint8Array | undefined;
  #dropped = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#filling = this.#newFrame();
    this.#spare = [this.#newFrame(), this.#newFrame()];
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes of a frame that is not whole yet. */
  get partBytes(): number {
    return this.#filled;
  }

  /** Takes the next bytes of the stream; says how many frames became whole by it. */
  push(chunk: Uint8Array): number {
    let whole = 0;
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + this.#sizeBytes - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      offset += part.length;
      if (this.#filled < this.#sizeBytes) break;
      this.#becomeReady();
      whole += 1;
    }
    return whole;
  }

  /** The newest whole frame, the reader's until it takes another; `undefined` when there is none that it has not had. */
  take(): Uint8Array | undefined {
    if (!this.#ready) return undefined;
    if (this.#taken) this.#spare.push(this.#taken);
    this.#taken = this.#ready;
    this.#ready = undefined;
    return this.#taken;
  }

  #becomeReady(): void {
    if (this.#ready) {
      this.#dropped += 1;
      this.#spare.push(this.#ready);
    }
    this.#ready = this.#filling;
    this.#filling = this.#spare.pop() ?? this.#newFrame();
    this.#filled = 0;
  }

  #newFrame(): Uint8Array {
    return new Uint8Array(new SharedArrayBuffer(this.#sizeBytes));
  }
}
