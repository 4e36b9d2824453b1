import { ShoalError, sha256Hex } from '@shoal/protocol';
import type { BlobDraft, BlobStore } from '../blob-store.ts';

/** Bytes in a map: for tests and the simulator. */
export class MemoryBlobStore implements BlobStore {
  readonly name = 'memory-blob-store';
  readonly #blobs = new Map<string, Uint8Array>();
  /** Makes every write fail with this, as a full disk does. */
  failure: Error | undefined;

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async stop(): Promise<void> {}

  async write(content: AsyncIterable<Uint8Array>, limitBytes: number, signal: AbortSignal): Promise<BlobDraft> {
    const pieces: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const piece of content) {
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
      pieces.push(Uint8Array.from(piece));
    }
    const bytes = Buffer.concat(pieces);
    const digest = sha256Hex(bytes);
    return {
      digest,
      sizeBytes,
      keep: async () => {
        this.#blobs.set(digest, bytes);
      },
      discard: async () => {},
    };
  }

  async read(
    digest: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined> {
    const bytes = this.#blobs.get(digest);
    return range ? bytes?.subarray(range.offset, range.offset + range.length) : bytes;
  }

  async remove(digest: string): Promise<void> {
    this.#blobs.delete(digest);
  }

  async *digests(): AsyncIterable<string> {
    yield* [...this.#blobs.keys()];
  }
}

export function tooLarge(limitBytes: number): ShoalError {
  return new ShoalError('input.too-large', `the input is larger than the limit of ${limitBytes} bytes`, { limitBytes });
}
