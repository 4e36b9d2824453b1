import type { FrameShape, ModelFrame } from '@shoal/models';
import { asShoalError, type Clock, type Logger, pushSource, ShoalError } from '@shoal/protocol';
import type { VideoFormat, VideoFrame, VideoRequest, VideoSource, VideoStream } from './video-source.ts';

/** Reads encoded pictures into the input of a model. */
export interface PictureReader {
  /** The frame is the caller's until it is given back. @throws `input.corrupt`, `input.unsupported`, `input.too-large`, `aborted` */
  decode(picture: Uint8Array, input: FrameShape, signal: AbortSignal): Promise<ModelFrame>;
  giveBack(frame: ModelFrame): void;
}

interface Deps {
  /** For all other sources. */
  readonly videos: VideoSource;
  readonly pictures: PictureReader;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Adds cameras that send their pictures by themselves: of each the newest one waits here until it is looked at. */
export class PushedVideos implements VideoSource {
  readonly #deps: Deps;
  readonly #streams = new Map<string, PushedStream>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  decoders(signal: AbortSignal): Promise<readonly string[]> {
    return this.#deps.videos.decoders(signal);
  }

  open(request: VideoRequest, signal: AbortSignal): VideoStream {
    if (request.source !== pushSource) return this.#deps.videos.open(request, signal);
    const stream = new PushedStream(this.#deps, request, signal, () => {
      if (this.#streams.get(request.camera) === stream) this.#streams.delete(request.camera);
    });
    this.#streams.set(request.camera, stream);
    return stream;
  }

  /** The newest picture of a camera, encoded. @throws `work.refused` when the camera is not watched here; `input.invalid` for none or several */
  offer(camera: string, pictures: readonly Uint8Array[]): void {
    const [picture, ...more] = pictures;
    if (!picture || more.length > 0) throw new ShoalError('input.invalid', 'one picture at a time');
    const stream = this.#streams.get(camera);
    if (!stream) throw new ShoalError('work.refused', 'this camera is not watched here just now');
    stream.offer(picture);
  }
}

interface Waiting {
  readonly picture: Uint8Array;
  readonly capturedAtMs: number;
  readonly capturedMonotonicMs: number;
}

class PushedStream implements VideoStream {
  readonly #deps: Deps;
  readonly #request: VideoRequest;
  readonly #signal: AbortSignal;
  readonly #closed: () => void;
  #waiting: Waiting | undefined;
  #wake = () => {};
  #dropped = 0;
  #format: VideoFormat | undefined;

  constructor(deps: Deps, request: VideoRequest, signal: AbortSignal, closed: () => void) {
    this.#deps = deps;
    this.#request = request;
    this.#signal = signal;
    this.#closed = closed;
  }

  readonly cpuMs = undefined;
  readonly complaint = undefined;

  get dropped(): number {
    return this.#dropped;
  }

  get format(): VideoFormat | undefined {
    return this.#format;
  }

  offer(picture: Uint8Array): void {
    if (this.#waiting) this.#dropped += 1;
    const { clock } = this.#deps;
    this.#waiting = { picture, capturedAtMs: clock.nowMs(), capturedMonotonicMs: clock.monotonicMs() };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<VideoFrame> {
    const { pictures } = this.#deps;
    const onAbort = () => this.#wake();
    this.#signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        const { picture, ...captured } = await this.#next();
        const frame = await this.#read(picture);
        if (!frame) continue;
        try {
          yield { ...frame, ...captured };
        } finally {
          pictures.giveBack(frame);
        }
      }
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      this.#closed();
    }
  }

  async #next(): Promise<Waiting> {
    for (;;) {
      this.#signal.throwIfAborted();
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) return waiting;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** One that cannot be read is left out: the next one may be whole. */
  async #read(picture: Uint8Array): Promise<ModelFrame | undefined> {
    const { camera, input } = this.#request;
    try {
      const frame = await this.#deps.pictures.decode(picture, input, this.#signal);
      const { sourceWidth: width, sourceHeight: height } = frame.placement;
      this.#format = { width, height, fps: undefined };
      return frame;
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#dropped += 1;
      this.#deps.logger.warn('a picture that a camera sent cannot be read', {
        camera,
        why: asShoalError(error).message,
      });
      return undefined;
    }
  }
}
