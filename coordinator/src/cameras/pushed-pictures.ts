import { asShoalError, type Clock, type Logger, type Messenger, pushSource, ShoalError } from '@shoal/protocol';
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

/** One camera's pictures on their way: its device is being handed one, and the newest one waits for that. */
interface Lane {
  waiting: Uint8Array | undefined;
  isBusy: boolean;
  /** When a picture was last taken in, monotonic ms. */
  takenMs: number;
  taken: number;
  dropped: number;
}

/** Hands pictures that cameras send by themselves on to the devices that watch them. The newest one wins: what was not handed on by then is dropped. */
export class PushedPictures {
  readonly #deps: Deps;
  readonly #largestBytes: number;
  readonly #lanes = new Map<string, Lane>();

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
    const { spec, device, grant } = live.camera;
    if (spec.source !== pushSource)
      throw new ShoalError(
        'conflict',
        `this camera is read from its source: set that to "${pushSource}" to send its pictures`,
      );
    this.#check(picture);
    if (device === undefined)
      throw new ShoalError('work.no-device', `no device watches this camera: ${live.camera.reason}`);
    const nowMs = this.#deps.clock.monotonicMs();
    const lane = this.#laneOf(cameraId);
    const everyMs = 1_000 / (grant?.fps ?? spec.targetFps);
    if (nowMs - lane.takenMs < everyMs * (1 - earlyShare)) {
      lane.dropped += 1;
      return 'surplus';
    }
    const outcome = lane.waiting ? 'replaced' : 'taken';
    if (lane.waiting) lane.dropped += 1;
    lane.taken += 1;
    lane.takenMs = nowMs;
    lane.waiting = picture;
    if (!lane.isBusy) void this.#handOn(cameraId, lane);
    return outcome;
  }

  counts(cameraId: string): PushCounts | undefined {
    const lane = this.#lanes.get(cameraId);
    return lane && { taken: lane.taken, dropped: lane.dropped };
  }

  /** The camera is not there any more. */
  forget(cameraId: string): void {
    this.#lanes.delete(cameraId);
  }

  #laneOf(cameraId: string): Lane {
    let lane = this.#lanes.get(cameraId);
    if (!lane) {
      lane = { waiting: undefined, isBusy: false, takenMs: Number.NEGATIVE_INFINITY, taken: 0, dropped: 0 };
      this.#lanes.set(cameraId, lane);
    }
    return lane;
  }

  /** Until none waits. */
  async #handOn(cameraId: string, lane: Lane): Promise<void> {
    const { messenger, logger, cameras } = this.#deps;
    lane.isBusy = true;
    for (let picture = lane.waiting; picture; picture = lane.waiting) {
      lane.waiting = undefined;
      const device = cameras.get(cameraId)?.camera.device;
      try {
        if (device === undefined) throw new ShoalError('work.no-device', 'no device watches the camera any more');
        const attachments = [picture];
        await messenger.request(device, { pushedPicture: { cameraId } }, { timeoutMs: handOnMs, attachments });
      } catch (error) {
        // The next one may get there.
        lane.dropped += 1;
        logger.debug('a picture was not handed on', { camera: cameraId, why: asShoalError(error).message });
      }
    }
    lane.isBusy = false;
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
