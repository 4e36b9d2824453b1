import type { BlockFile } from './block-file.ts';

/** Files of this device, by what is in them. */
export interface BlockStore {
  /** A file that is held whole; `undefined` when it is not. What is in it is checked by who asks. */
  open(file: BlockFile): Promise<StoredFile | undefined>;
  /**
   * What has come of a file so far, in a file of its full size; what has not come is anything.
   * @throws `io.disk-full`, `io.failed`
   */
  part(file: BlockFile): Promise<PartFile>;
}

export interface StoredFile {
  /** @throws `io.failed` when there is less. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface PartFile extends StoredFile {
  /** Whether it was just made: then there is nothing to look at. */
  readonly isNew: boolean;
  /** One piece of bytes after the other, from `offset` on. @throws `io.disk-full`, `io.failed` */
  write(offset: number, bytes: readonly Uint8Array[]): Promise<void>;
  /**
   * Makes it a file that is held whole, from then on also after a power cut. It can be read on until it is closed. Its SHA-256 was seen to be the one that it is
   * called by.
   * @throws `io.failed`
   */
  finish(): Promise<void>;
}
