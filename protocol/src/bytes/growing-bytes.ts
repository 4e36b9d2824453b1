const firstBytes = 64;

/**
 * Bytes that come in pieces and are wanted in one. What is held is at most about twice as much as has come, in one buffer, however small the
 * pieces are and whatever larger buffers they lie in.
 */
export class GrowingBytes {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param most bytes that there will be in all, where that is known: no room is made for more */
  push(piece: Uint8Array, most = Number.POSITIVE_INFINITY): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const room = Math.min(most, Math.max(firstBytes, 2 * this.#bytes.length));
      const larger = Buffer.allocUnsafeSlow(Math.max(length, room));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** All that has come. It is the caller's; the next piece is the first of others. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}
