import { asShoalError, type Logger, type Messenger, type ShoalError } from '@shoal/protocol';
import type { FleetDevice } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import { assignmentOf } from './assignment.ts';
import type { LiveCamera } from './live-camera.ts';

/** What devices are told of cameras, and what they answer. */
export interface CameraLine {
  /** Asks the device to take the camera as it stands now. `answered` without an error: it has it. */
  ask(live: LiveCamera, device: FleetDevice, answered: (error?: ShoalError) => void): void;
  /** Said once: a device that did not hear it goes on reporting the camera, and is told again. */
  takeOff(deviceId: string, cameraId: string, reason: string): void;
}

interface Deps {
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit'>;
  readonly messenger: Messenger;
}

/** By signed messages; a revision is durable before a device hears of it. */
export class MessengerLine implements CameraLine {
  readonly #deps: Deps;
  readonly #timeoutMs: number;

  constructor(deps: Deps, timeoutMs: number) {
    this.#deps = deps;
    this.#timeoutMs = timeoutMs;
  }

  ask(live: LiveCamera, device: FleetDevice, answered: (error?: ShoalError) => void): void {
    this.#ask(live, device)
      .then(
        () => answered(),
        (error: unknown) => answered(asShoalError(error)),
      )
      .catch((error: unknown) => {
        this.#deps.logger.error('a camera could not be assigned', {
          camera: live.camera.id,
          error: asShoalError(error).message,
        });
      });
  }

  takeOff(deviceId: string, cameraId: string, reason: string): void {
    this.#deps.messenger.send(deviceId, { payload: { cameraRemoval: { cameraId, reason } } });
  }

  async #ask(live: LiveCamera, device: FleetDevice): Promise<void> {
    const { camera, resolved } = live;
    const { revision } = camera;
    // A revision is never used twice: the device would take the second one for the first.
    if (live.durableRevision !== revision) await this.#deps.store.commit([{ kind: 'camera', camera }]);
    live.durableRevision = revision;
    await this.#deps.messenger.request(
      device.id,
      { cameraAssignment: assignmentOf({ camera, resolved }) },
      { timeoutMs: this.#timeoutMs },
    );
  }
}
