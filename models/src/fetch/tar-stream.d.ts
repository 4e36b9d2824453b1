/** The part of tar-stream 3 that is used here; the package brings no types. */
declare module 'tar-stream' {
  import type { Readable, Writable } from 'node:stream';

  export interface TarEntry extends Readable {
    readonly header: { readonly name: string; readonly size: number; readonly type: string };
  }
  export function extract(): Writable & AsyncIterable<TarEntry>;
  export interface TarPack extends Readable {
    entry(header: { name: string }, content: string | Buffer): void;
    finalize(): void;
  }
  export function pack(): TarPack;
}
