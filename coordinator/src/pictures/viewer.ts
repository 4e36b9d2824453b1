import type { LivePicture } from '../domain/index.ts';

/** Somebody who watches cameras: the newest picture of each waits, and no other. */
export class Viewer {
  readonly cameras: readonly string[];
  readonly #signal: AbortSignal;
  readonly #newest = new Map<string, LivePicture>();
  #wake: (() => void) | undefined;

  /** @param signal the viewer has gone */
  constructor(cameras: readonly string[], signal: AbortSignal) {
    this.cameras = cameras;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  show(picture: LivePicture): void {
    // Behind the others: who is slow sees all of its cameras by turns.
    this.#newest.delete(picture.camera);
    this.#newest.set(picture.camera, picture);
    this.#wake?.();
  }

  /** The picture that waits longest. @throws the reason of the signal */
  async next(): Promise<LivePicture> {
    for (;;) {
      this.#signal.throwIfAborted();
      for (const [camera, picture] of this.#newest) {
        this.#newest.delete(camera);
        return picture;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
