import { type CameraGrant, cameraShare, coresOf, type Figures, fullLoad } from '@shoal/coordinator';
import type { CameraStatus, DecodeLevel } from '@shoal/protocol';
import type { CameraGroup, ModelName, VideoStream } from '../fleet/index.ts';
import type { CoarseDevice } from './coarse-device.ts';
import type { EventQueue } from './event-queue.ts';
import { meanOverP50, p95OverP50, usualMs } from './run-times.ts';

/** Until a source gives its first picture, ms: half of the time between its key frames. */
const openMs = 1_000;
/** Of all frames: how many come when those that no other refers to are left out, and one key frame each two seconds. As of x264's usual groups. */
const skippedGives = 0.5;
const keyFramesPerSecond = 0.5;
/** H.264 is 1. Decoded on one core with ffmpeg, H.265 took 1.25 (1080p) to 1.4 (720p) times as long as the same pictures in H.264. */
const codecCosts = { h264: 1, h265: 1.3 } as const;

/** What a device is told of one camera. */
export interface CameraOrder {
  readonly id: string;
  readonly revision: number;
  readonly group: CameraGroup;
  readonly grant: CameraGrant;
}

/** Frames of a camera that are analysed, a second, and how they are decoded. */
export interface Watching {
  readonly fps: number;
  readonly decode: DecodeLevel;
}

interface Watched {
  readonly order: CameraOrder;
  /** Its model is in memory and its source open. */
  isRunning: boolean;
}

interface Deps {
  readonly events: Pick<EventQueue, 'after'>;
  /** Told what is seen of a camera here from now on. */
  readonly tell: (cameraId: string, watching: Watching | undefined) => void;
}

/**
 * What the cameras of one device take of it, without an event for each frame: a part of its time and watts, as placement reckons them, from what the
 * device really takes.
 */
export class DeviceCameras {
  readonly #device: CoarseDevice;
  readonly #deps: Deps;
  readonly #watched = new Map<string, Watched>();
  #statuses: CameraStatus[] = [];

  constructor(device: CoarseDevice, deps: Deps) {
    this.#device = device;
    this.#deps = deps;
  }

  get ids(): readonly string[] {
    return [...this.#watched.keys()];
  }

  /** As the device reports them. */
  get statuses(): CameraStatus[] {
    return this.#statuses;
  }

  /** A newer order begins the camera anew, as agents do. */
  take(order: CameraOrder): void {
    const before = this.#watched.get(order.id)?.order.revision ?? 0;
    if (before < order.revision) this.#begin(order);
  }

  drop(id: string): void {
    if (!this.#watched.delete(id)) return;
    this.#changed();
    this.#deps.tell(id, undefined);
  }

  /** The device crashed: its orders are on its disk. */
  stop(): void {
    for (const { order } of [...this.#watched.values()]) this.#watched.set(order.id, { order, isRunning: false });
    this.#changed();
  }

  restart(): void {
    for (const { order } of [...this.#watched.values()]) this.#begin(order);
  }

  #begin(order: CameraOrder): void {
    const watched: Watched = { order, isRunning: false };
    this.#watched.set(order.id, watched);
    const { model, variant } = order.grant;
    const isLoaded = this.#device.loaded.includes(`${model}/${variant}`);
    this.#device.warm(model, variant);
    this.#deps.events.after((isLoaded ? 0 : this.#device.kind.loadMs) + openMs, () => {
      if (this.#watched.get(order.id) !== watched) return;
      watched.isRunning = true;
      this.#changed();
    });
    this.#changed();
  }

  #changed(): void {
    const { kind } = this.#device;
    const all = [...this.#watched.values()].map((watched) => ({ watched, ...this.#shareOf(watched.order) }));
    const running = all.filter(({ watched }) => watched.isRunning);
    const load = running.reduce((sum, share) => sum + share.load, 0);
    const cores = running.reduce((sum, share) => sum + share.cores, 0);
    // What there is no time for is left out, of each the same part.
    const part = Math.min(1, fullLoad / load, kind.cores / cores);
    const watts = running.reduce((sum, share) => sum + share.watts, 0);
    this.#device.stand({ load: load * part, watts: watts * part });
    this.#statuses = all.map((share) => statusOf(share.watched, share, part, load * part));
    for (const { watched, comingFps } of all) {
      const watching = { fps: comingFps * part, decode: watched.order.grant.decode };
      this.#deps.tell(watched.order.id, watched.isRunning ? watching : undefined);
    }
  }

  #shareOf({ grant, group }: CameraOrder): Share {
    const { kind, slowdown } = this.#device;
    const meanMs = usualMs(kind, grant.model as ModelName, grant.variant as 'int8') * slowdown * meanOverP50;
    const figures: Figures = {
      run: { meanMs, varianceMs2: 0 },
      energyJ: ((kind.busyWatts / kind.slots) * meanMs) / 1_000,
      loadMs: 0,
      loadedUntilMs: 0,
    };
    const comingFps = Math.min(grant.fps, givenFps(grant.decode, group));
    const share = cameraShare(
      { slots: kind.slots, figures: () => figures },
      { model: grant.model, variant: grant.variant, fps: comingFps },
    );
    return { ...share, runMs: meanMs, comingFps, cores: decodeCores(grant.decode, group) };
  }
}

interface Share {
  /** One frame, ms. */
  readonly runMs: number;
  readonly load: number;
  readonly watts: number;
  /** That decoding keeps busy. */
  readonly cores: number;
  /** Frames a second that come out of the decoder. */
  readonly comingFps: number;
}

/** What a level of decoding gives, frames a second. */
function givenFps(level: DecodeLevel, { stream, substream = stream }: CameraGroup): number {
  switch (level) {
    case 'full':
      return stream.fps;
    case 'skip':
      return stream.fps * skippedGives;
    case 'keyframes':
      return Math.min(stream.fps, keyFramesPerSecond);
    case 'substream':
      return substream.fps;
  }
}

function decodeCores(level: DecodeLevel, { stream, substream = stream }: CameraGroup): number {
  const isSmall = level === 'substream';
  const source = isSmall ? substream : stream;
  const footage = { megapixels: megapixelsOf(source), fps: source.fps, seenFps: {}, hasSubstream: false };
  return coresOf(isSmall ? 'full' : level, footage) * codecCosts[source.codec];
}

function megapixelsOf({ width, height }: VideoStream): number {
  return (width * height) / 1e6;
}

function statusOf({ order, isRunning }: Watched, share: Share, part: number, load: number): CameraStatus {
  const { stream, substream = stream } = order.group;
  const { decode } = order.grant;
  const source = decode === 'substream' ? substream : stream;
  const latencyMs = share.runMs / Math.max(1 - fullLoad, 1 - load + share.load * part);
  return {
    cameraId: order.id,
    state: isRunning ? 'running' : 'connecting',
    reason: '',
    fps: isRunning ? share.comingFps * part : 0,
    frames: 0,
    dropped: 0,
    latencyP50Ms: latencyMs,
    latencyP95Ms: latencyMs * p95OverP50,
    restarts: 0,
    decode,
    seenFps: isRunning ? share.comingFps : 0,
    sourceFps: isRunning ? source.fps : 0,
    sourceWidth: isRunning ? source.width : 0,
    sourceHeight: isRunning ? source.height : 0,
    decodeCores: isRunning ? share.cores : 0,
  };
}
