import type { ImageInput, ModelFrame } from '@shoal/models';
import { type Clock, delay, type Outgoing, type PictureRequest, ShoalError } from '@shoal/protocol';
import type { VideoFrame } from '../video/index.ts';

/** Encodes a part of a frame as a JPEG: sharp on a device. */
export type EncodePicture = (frame: FramePart) => Promise<Uint8Array>;

/** Where the source's picture lies within a frame, without the bars of a letterbox, and the size that it is shown in. */
export interface FramePart {
  /** `uint8` RGB [height,width,3]. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly region: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** As the region, with square pixels. */
  readonly shown: { readonly width: number; readonly height: number };
}

/** The report about a frame. */
export interface FrameReport {
  readonly number: number;
  readonly result: Uint8Array;
}

type Size = Pick<ImageInput, 'width' | 'height'>;

interface Kept {
  readonly frame: VideoFrame;
  readonly input: Size;
  readonly report: FrameReport | undefined;
}

/** After a request, frames are kept for this long, ms, so that the next request need not wait. Nobody asks: nothing is copied. */
const watchedMs = 3_000;
const longestWaitMs = 10_000;

/** The newest picture of one camera for whoever watches. Nothing is kept, and nothing encoded, while nobody does. */
export class LivePicture {
  readonly #clock: Clock;
  readonly #encode: EncodePicture;
  #watchedUntilMs = Number.NEGATIVE_INFINITY;
  #kept: Kept | undefined;
  #arrived = Promise.withResolvers<void>();

  constructor(clock: Clock, encode: EncodePicture) {
    this.#clock = clock;
    this.#encode = encode;
  }

  /** A frame whose pixels are the reader's no longer than until it asks for the next one. @param report left out: it was not analysed */
  offer(frame: VideoFrame, input: Size, report?: FrameReport): void {
    if (this.#clock.monotonicMs() > this.#watchedUntilMs) {
      this.#kept = undefined;
      return;
    }
    this.#kept = { frame: { ...frame, pixels: Uint8Array.from(frame.pixels) }, input, report };
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }

  /** @throws `timeout` when no other picture comes in time, or the reason of the signal */
  async answer({ cameraId, unlessCapturedAtMs, waitMs }: PictureRequest, signal: AbortSignal): Promise<Outgoing> {
    const wait = Math.min(waitMs, longestWaitMs);
    // Nobody watched meanwhile: what was kept may be hours old.
    if (this.#clock.monotonicMs() > this.#watchedUntilMs) this.#kept = undefined;
    this.#watchedUntilMs = this.#clock.monotonicMs() + wait + watchedMs;
    const isNew = () => this.#kept !== undefined && Math.round(this.#kept.frame.capturedAtMs) !== unlessCapturedAtMs;
    if (!isNew()) await this.#arrival(wait, signal);
    const kept = this.#kept;
    if (kept === undefined || !isNew()) throw new ShoalError('timeout', `no other picture within ${wait} ms`);
    const { frame, input, report } = kept;
    const picture = await this.#encode(pictureIn(frame, input));
    return {
      payload: {
        picture: {
          cameraId,
          capturedAtMs: Math.round(frame.capturedAtMs),
          ageMs: this.#clock.monotonicMs() - frame.capturedMonotonicMs,
          ...report,
        },
      },
      attachments: [picture],
    };
  }

  async #arrival(waitMs: number, signal: AbortSignal): Promise<void> {
    const arrived = this.#arrived.promise;
    const over = new AbortController();
    const waited = delay(this.#clock, 'picture: the next one', waitMs, AbortSignal.any([signal, over.signal]));
    // Whoever arrives first ends the other; a wait that was ended is nobody's error.
    await Promise.race([arrived, waited]).finally(() => {
      over.abort(new ShoalError('aborted', 'the picture is there'));
      waited.catch(() => {});
    });
  }
}

/** What of a frame is shown. Masks are in its pixels already: they were covered before it was analysed. */
function pictureIn({ pixels, placement }: ModelFrame, { width, height }: Size): FramePart {
  const { sourceWidth, sourceHeight, scaleX, scaleY, offsetX, offsetY } = placement;
  const left = Math.max(0, Math.round(offsetX));
  const top = Math.max(0, Math.round(offsetY));
  const region = {
    left,
    top,
    width: Math.max(1, Math.min(width, Math.round(offsetX + sourceWidth * scaleX)) - left),
    height: Math.max(1, Math.min(height, Math.round(offsetY + sourceHeight * scaleY)) - top),
  };
  const aspect = region.height / scaleY / (region.width / scaleX);
  const shown = { width: region.width, height: Math.max(1, Math.round(region.width * aspect)) };
  return { pixels, width, height, region, shown };
}
