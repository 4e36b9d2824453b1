import {
  type AnalysisResult,
  asShoalError,
  type Clock,
  decodeResult,
  delay,
  expectReply,
  type Logger,
  type Messenger,
  type PeerId,
  type Picture,
  type Reply,
  ShoalError,
} from '@shoal/protocol';
import type { Cameras, Devices, LivePicture, Pictures } from '../domain/index.ts';
import { Viewer } from './viewer.ts';

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly messenger: Pick<Messenger, 'request'>;
  readonly cameras: Pick<Cameras, 'get'>;
  readonly devices: Pick<Devices, 'get'>;
}

/** Viewers at the same time, and cameras that one of them watches. */
const mostViewers = 100;
const mostWatched = 64;
/** How long a device may wait for its next picture, and the way there and back on top, ms. */
const waitMs = 5_000;
const wayMs = 5_000;
/** Before a device that cannot give a picture is asked again, ms. */
const pauseMs = 1_000;
/** A picture of a model's input size is a tenth of this. */
const mostBytes = 1 << 20;
const oneTimeoutMs = 12_000;
/** ECMAScript's last: dates beyond it cannot be written. */
const latestTimeMs = 8.64e15;

interface Feed {
  readonly viewers: Set<Viewer>;
  readonly ended: AbortController;
  last: LivePicture | undefined;
}

/**
 * Pictures for whoever watches. The device of a camera is asked only while somebody does, for one picture at a time, and all who watch a camera share
 * it: so a slow link or a slow viewer gets fewer pictures, and nothing piles up anywhere.
 */
export class PictureDesk implements Pictures {
  readonly #deps: Deps;
  readonly #feeds = new Map<string, Feed>();
  #viewers = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Cameras whose devices are being asked. */
  get watched(): number {
    return this.#feeds.size;
  }

  watch(cameras: readonly string[], signal: AbortSignal): AsyncGenerator<LivePicture> {
    const wanted = [...new Set(cameras)];
    if (wanted.length > mostWatched)
      throw new ShoalError('input.invalid', `one viewer watches ${mostWatched} cameras at most`, { field: 'cameras' });
    for (const camera of wanted) this.#deps.cameras.get(camera);
    if (this.#viewers >= mostViewers) throw new ShoalError('queue.full', `${mostViewers} viewers watch already`);
    return this.#pictures(wanted, signal);
  }

  async *#pictures(wanted: readonly string[], signal: AbortSignal): AsyncGenerator<LivePicture> {
    const viewer = new Viewer(wanted, signal);
    this.#viewers += 1;
    try {
      for (const camera of wanted) this.#join(camera, viewer);
      while (!signal.aborted) yield await viewer.next();
    } finally {
      this.#viewers -= 1;
      for (const camera of wanted) this.#leave(camera, viewer);
    }
  }

  async newest(camera: string, signal: AbortSignal): Promise<LivePicture> {
    this.#deps.cameras.get(camera);
    const over = new AbortController();
    const patience = delay(
      this.#deps.clock,
      'pictures: the first one',
      oneTimeoutMs,
      AbortSignal.any([signal, over.signal]),
    );
    const tooLate = patience.then(() => over.abort(new ShoalError('timeout', this.#whyNone(camera))));
    tooLate.catch(() => {});
    try {
      for await (const picture of this.watch([camera], AbortSignal.any([signal, over.signal]))) return picture;
      throw over.signal.aborted ? over.signal.reason : signal.reason;
    } finally {
      over.abort();
    }
  }

  #whyNone(camera: string): string {
    const { device, reason, status } = this.#deps.cameras.get(camera);
    if (device === undefined) return `there is no picture: ${reason}`;
    return `there is no picture within ${oneTimeoutMs / 1000} s${status?.reason ? `: ${status.reason}` : ''}`;
  }

  #join(camera: string, viewer: Viewer): void {
    const known = this.#feeds.get(camera);
    const feed = known ?? { viewers: new Set<Viewer>(), ended: new AbortController(), last: undefined };
    feed.viewers.add(viewer);
    if (feed.last) viewer.show(feed.last);
    if (known) return;
    this.#feeds.set(camera, feed);
    this.#follow(camera, feed).catch((error: unknown) => {
      if (!feed.ended.signal.aborted)
        this.#deps.logger.error('pictures of a camera have ended', { camera, error: asShoalError(error).message });
      if (this.#feeds.get(camera) === feed) this.#feeds.delete(camera);
    });
  }

  #leave(camera: string, viewer: Viewer): void {
    const feed = this.#feeds.get(camera);
    if (!feed?.viewers.delete(viewer) || feed.viewers.size > 0) return;
    this.#feeds.delete(camera);
    feed.ended.abort(new ShoalError('aborted', 'nobody watches any more'));
  }

  async #follow(camera: string, feed: Feed): Promise<void> {
    const { signal } = feed.ended;
    const { clock, cameras, logger } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      const { device } = cameras.get(camera);
      try {
        if (device === undefined) throw new ShoalError('timeout', 'the camera has no device');
        feed.last = await this.#ask(camera, device, feed.last?.capturedAtMs ?? 0, signal);
        for (const viewer of feed.viewers) viewer.show(feed.last);
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asShoalError(thrown);
        logger.debug('no picture', { camera, why: error.message });
        await delay(clock, 'pictures: ask again', pauseMs, signal);
      }
    }
  }

  async #ask(camera: string, device: PeerId, unlessCapturedAtMs: number, signal: AbortSignal): Promise<LivePicture> {
    const { clock, messenger, devices } = this.#deps;
    const pictureRequest = { cameraId: camera, unlessCapturedAtMs, waitMs };
    const reply = await messenger.request(device, { pictureRequest }, { timeoutMs: waitMs + wayMs, signal });
    const value = checked(expectReply(reply, 'picture'));
    const jpeg = jpegIn(reply);
    const analysis = resultIn(value.result);
    return {
      camera,
      device,
      jpeg,
      capturedAtMs: value.capturedAtMs,
      // Half of the way there and back was the picture's. No two clocks are compared.
      bornMs: clock.monotonicMs() - Math.max(0, value.ageMs) - (devices.get(device).link.rttMs ?? 0) / 2,
      ...(value.number > 0 && { number: value.number }),
      ...(analysis && { analysis }),
    };
  }
}

/** @throws `message.malformed` for times that are none */
function checked(picture: Picture): Picture {
  const { capturedAtMs, ageMs, number } = picture;
  const isTime = Number.isSafeInteger(capturedAtMs) && capturedAtMs <= latestTimeMs;
  if (isTime && Number.isFinite(ageMs) && Number.isSafeInteger(number)) return picture;
  throw new ShoalError('message.malformed', 'the device sent a picture of no time');
}

/** @throws `message.malformed` for what a browser is not to be given as a picture */
function jpegIn({ attachments: [bytes] }: Reply): Uint8Array {
  if (bytes && bytes.length <= mostBytes && bytes[0] === 0xff && bytes[1] === 0xd8) return bytes;
  throw new ShoalError('message.malformed', 'the device sent no JPEG, or one that is too large');
}

/** A picture is shown without boxes rather than not at all. */
function resultIn(bytes: Uint8Array): AnalysisResult | undefined {
  if (bytes.length === 0) return undefined;
  try {
    return decodeResult(bytes);
  } catch {
    return undefined;
  }
}
