import type { PieceLayout } from './block-file.ts';
import type { PartFile } from './block-store.ts';

interface Waiting {
  readonly bytes: readonly Uint8Array[];
  readonly written: PromiseWithResolvers<void>;
}

/** Writes pieces, those that lie side by side together: while one write runs, more come. What waits is bounded by what was ordered. */
export class PieceWriter {
  readonly #part: PartFile;
  readonly #layout: PieceLayout;
  readonly #waiting = new Map<number, Waiting>();
  #isWriting = false;

  constructor(part: PartFile, layout: PieceLayout) {
    this.#part = part;
    this.#layout = layout;
  }

  /** @throws `io.disk-full`, `io.failed` */
  write(index: number, bytes: readonly Uint8Array[]): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.set(index, { bytes, written });
    if (!this.#isWriting) void this.#writeAll();
    return written.promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // What else this turn brings goes along.
    await Promise.resolve();
    for (let run = this.#nextRun(); run.length > 0; run = this.#nextRun()) {
      const [[first]] = run as [[number, Waiting]];
      try {
        await this.#part.write(
          this.#layout.offsetOf(first),
          run.flatMap(([, { bytes }]) => bytes),
        );
        for (const [, { written }] of run) written.resolve();
      } catch (error) {
        for (const [, { written }] of run) written.reject(error);
      }
    }
    this.#isWriting = false;
  }

  /** The first that waits, and those that lie behind it without a gap. */
  #nextRun(): [number, Waiting][] {
    const [first] = this.#waiting.keys();
    const run: [number, Waiting][] = [];
    if (first === undefined) return run;
    let start = first;
    while (this.#waiting.has(start - 1)) start -= 1;
    for (let index = start; ; index++) {
      const waiting = this.#waiting.get(index);
      if (!waiting) return run;
      this.#waiting.delete(index);
      run.push([index, waiting]);
    }
  }
}
