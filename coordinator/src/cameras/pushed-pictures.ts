import { asShoalError, type Clock, delay, type Logger, type Messenger, pushSource, ShoalError } from '@shoal/protocol';
import type { PushCounts, PushOutcome } from '../domain/index.ts';
import type { LiveCamera } from './live-camera.ts';

/** A device that has not taken a picture by then does not get it, ms: it would be old. */
const handOnMs = 5_000;
/** A picture comes early by this share of its interval at most: senders keep time badly. */
const earlyShare = 0.2;

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly messenger: Pick<Messenger, 'request'>;
  /** By id. */
  readonly cameras: ReadonlyMap<string, LiveCamera>;
}

/** One camera's pictures on their way: its device is being handed one, or the next one is not due yet, and the newest one waits for that. */
interface Lane {
  waiting: Uint8Array | undefined;
  isBusy: boolean;
  /** When a picture was last handed on, monotonic ms. */
  handedMs: number;
  handed: number;
  dropped: number;
}

/** Hands pictures that cameras send by themselves on to the devices that watch them. The newest one wins: what was not handed on by then is dropped. */
export class PushedPictures {
  readonly #deps: Deps;
  readonly #largestBytes: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #over = new AbortController();

  /** `largestBytes`: what fits into a frame of every link. */
  constructor(deps: Deps, largestBytes: number) {
    this.#deps = deps;
    this.#largestBytes = largestBytes;
  }

  /**
   * @throws `not-found`; `conflict` for a camera that is read, not sent; `work.no-device` while no device watches it; `input.too-large`;
   * `input.unsupported` for what is no picture
   */
  take(cameraId: string, picture: Uint8Array): PushOutcome {
    const live = this.#deps.cameras.get(cameraId);
    if (!live || live.removed) throw new ShoalError('not-found', `there is no camera ${cameraId.slice(0, 64)}`);
    const { spec, device } = live.camera;
    if (spec.source !== pushSource)
      throw new ShoalError(
        'conflict',
        `this camera is read from its source: set that to "${pushSource}" to send its pictures`,
      );
    this.#check(picture);
    if (device === undefined)
      throw new ShoalError('work.no-device', `no device watches this camera: ${live.camera.reason}`);
    const lane = this.#laneOf(cameraId);
    const outcome = lane.waiting ? 'replaced' : 'taken';
    if (lane.waiting) lane.dropped += 1;
    lane.waiting = picture;
    if (!lane.isBusy) void this.#handOn(cameraId, lane);
    return outcome;
  }

  stop(): void {
    this.#over.abort(new ShoalError('closed', 'the coordinator stops'));
  }

  counts(cameraId: string): PushCounts | undefined {
    const lane = this.#lanes.get(cameraId);
    return lane && { taken: lane.handed, dropped: lane.dropped };
  }

  /** The camera is not there any more. */
  forget(cameraId: string): void {
    this.#lanes.delete(cameraId);
  }

  #laneOf(cameraId: string): Lane {
    let lane = this.#lanes.get(cameraId);
    if (!lane) {
      lane = { waiting: undefined, isBusy: false, handedMs: Number.NEGATIVE_INFINITY, handed: 0, dropped: 0 };
      this.#lanes.set(cameraId, lane);
    }
    return lane;
  }

  /** Until none waits, at the rate that is wanted. */
  async #handOn(cameraId: string, lane: Lane): Promise<void> {
    const { clock } = this.#deps;
    lane.isBusy = true;
    while (lane.waiting && !this.#over.signal.aborted) {
      const dueMs = lane.handedMs + this.#everyMs(cameraId) * (1 - earlyShare) - clock.monotonicMs();
      if (dueMs > 0) await delay(clock, 'pushed picture: due', dueMs, this.#over.signal).catch(() => {});
      const picture = lane.waiting;
      lane.waiting = undefined;
      lane.handedMs = clock.monotonicMs();
      if (await this.#isTaken(cameraId, picture)) lane.handed += 1;
      else lane.dropped += 1;
    }
    lane.isBusy = false;
  }

  async #isTaken(cameraId: string, picture: Uint8Array): Promise<boolean> {
    const { messenger, logger, cameras } = this.#deps;
    const device = cameras.get(cameraId)?.camera.device;
    if (device === undefined) return false;
    const options = { timeoutMs: handOnMs, attachments: [picture], signal: this.#over.signal };
    try {
      await messenger.request(device, { pushedPicture: { cameraId } }, options);
      return true;
    } catch (error) {
      // The next one may get there.
      logger.debug('a picture was not handed on', { camera: cameraId, why: asShoalError(error).message });
      return false;
    }
  }

  #everyMs(cameraId: string): number {
    const { grant, spec } = this.#deps.cameras.get(cameraId)?.camera ?? {};
    return 1_000 / (grant?.fps ?? spec?.targetFps ?? 1);
  }

  #check(picture: Uint8Array): void {
    if (picture.length > this.#largestBytes)
      throw new ShoalError(
        'input.too-large',
        `the picture has ${picture.length} bytes, the most is ${this.#largestBytes}`,
      );
    if (!looksLikePicture(picture))
      throw new ShoalError('input.unsupported', 'this is not a picture: send JPEG, PNG or WebP, one to a request');
  }
}

/** By its first bytes. Whether all of it is sound is seen where it is read. */
function looksLikePicture(bytes: Uint8Array): boolean {
  const starts = (...first: number[]) => first.every((byte, i) => bytes[i] === byte);
  const isWebp = starts(0x52, 0x49, 0x46, 0x46) && bytes[8] === 0x57 && bytes[9] === 0x45;
  return starts(0xff, 0xd8, 0xff) || starts(0x89, 0x50, 0x4e, 0x47) || isWebp;
}
