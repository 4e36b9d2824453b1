import type { Service } from '@shoal/protocol';

/** Bytes by digest, without a memory of what they are. Adapters: a folder (`real/`), memory for tests and the simulator. */
export interface BlobStore extends Service {
  /**
   * Takes in bytes of a digest that is not known yet. Nothing can be read before the draft is kept.
   * @throws `input.too-large` beyond `limitBytes`, `io.disk-full`, the signal's reason; nothing is left behind then.
   */
  write(content: AsyncIterable<Uint8Array>, limitBytes: number, signal: AbortSignal): Promise<BlobDraft>;
  /** `undefined` when there are no such bytes. A range past the end gives what there is. */
  read(digest: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array | undefined>;
  /** Idempotent. */
  remove(digest: string): Promise<void>;
  digests(): AsyncIterable<string>;
}

export interface BlobDraft {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Durable, and readable by its digest, when it resolves. */
  keep(): Promise<void>;
  discard(): Promise<void>;
}
