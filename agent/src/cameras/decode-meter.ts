import type { CameraStatusInit, Clock } from '@shoal/protocol';
import type { VideoStream } from '../video/index.ts';

/** Frames that the rate is computed from: the last so many that were taken. */
const framesKept = 64;

/** What a camera's source gives, and what it takes to decode it. */
export class DecodeMeter {
  readonly #clock: Clock;
  readonly #stream: VideoStream;
  readonly #seen: { readonly atMs: number; readonly count: number }[] = [];
  #taken = 0;
  /** When its first frame was there, and the processor time until then: opening a source is not decoding it. */
  #first: { readonly atMs: number; readonly cpuMs: number | undefined } | undefined;

  constructor(clock: Clock, stream: VideoStream) {
    this.#clock = clock;
    this.#stream = stream;
  }

  /** A frame was taken. */
  frame(): void {
    const atMs = this.#clock.monotonicMs();
    this.#first ??= { atMs, cpuMs: this.#stream.cpuMs };
    this.#taken += 1;
    this.#seen.push({ atMs, count: this.#taken + this.#stream.dropped });
    if (this.#seen.length > framesKept) this.#seen.shift();
  }

  get figures(): Pick<CameraStatusInit, 'seenFps' | 'sourceFps' | 'sourceWidth' | 'sourceHeight' | 'decodeCores'> {
    const { width = 0, height = 0, fps = 0 } = this.#stream.format ?? {};
    return {
      seenFps: this.#seenFps,
      sourceFps: fps,
      sourceWidth: width,
      sourceHeight: height,
      decodeCores: this.#cores,
    };
  }

  /** Falls when no frames come any more. */
  get #seenFps(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || first === last) return 0;
    const spanMs = this.#clock.monotonicMs() - first.atMs;
    return spanMs > 0 ? ((last.count - first.count) * 1_000) / spanMs : 0;
  }

  get #cores(): number {
    const { cpuMs } = this.#stream;
    if (cpuMs === undefined || this.#first?.cpuMs === undefined) return 0;
    const spanMs = this.#clock.monotonicMs() - this.#first.atMs;
    return spanMs > 0 ? Math.max(0, cpuMs - this.#first.cpuMs) / spanMs : 0;
  }
}
