import {
  asShoalError,
  type CameraAssignment,
  type CameraStatusInit,
  type Outgoing,
  type PictureRequest,
  type Service,
  ShoalError,
} from '@shoal/protocol';
import type { ModelShelf } from '../loaded-models/index.ts';
import { findPipeline } from '../pipelines/index.ts';
import { Camera, type CameraDeps, type CameraOptions, defaultCameraOptions } from './camera.ts';

/** Cameras that one device takes. Each is a process that decodes. */
export const mostCameras = 64;
const mostFps = 120;

interface Deps extends CameraDeps {
  readonly shelf: ModelShelf;
}

/** The cameras of this device. They are remembered: after a restart they go on, whether the coordinator is there or not. */
export class Cameras implements Service {
  readonly name = 'cameras';
  readonly #deps: Deps;
  readonly #options: CameraOptions;
  readonly #cameras = new Map<string, Camera>();
  /** Changes come one after the other, in the order in which they were asked for. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: Deps, options: Partial<CameraOptions> & Pick<CameraOptions, 'software'>) {
    this.#deps = deps;
    this.#options = { ...defaultCameraOptions, ...options };
  }

  get statuses(): readonly CameraStatusInit[] {
    return [...this.#cameras.values()].map(({ status }) => status);
  }

  get anyRunning(): boolean {
    return [...this.#cameras.values()].some(({ isRunning }) => isRunning);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const assignment of this.#deps.store.all()) {
      try {
        this.#begin(assignment);
      } catch (error) {
        this.#deps.logger.error('a camera cannot go on', {
          camera: assignment.cameraId,
          why: asShoalError(error).message,
        });
      }
    }
  }

  /**
   * Takes a camera on, or changes one. Durable when it resolves. An older revision than the one that runs changes nothing.
   * @throws `input.invalid`, `model.unknown`, `work.refused`
   */
  assign(assignment: CameraAssignment): Promise<void> {
    return this.#inTurn(async () => {
      this.#check(assignment);
      const { cameraId, revision } = assignment;
      const before = this.#cameras.get(cameraId);
      if (before && before.assignment.revision >= revision) return;
      const camera = new Camera(this.#deps, assignment, this.#options);
      await this.#deps.store.put(assignment);
      await before?.stop();
      this.#cameras.set(cameraId, camera);
      camera.start();
    });
  }

  /** Ends a camera for good. One that is not here is gone already. */
  remove(cameraId: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#deps.store.remove(cameraId);
      await this.#cameras.get(cameraId)?.stop();
      this.#cameras.delete(cameraId);
    });
  }

  /** The newest picture of a camera. @throws `not-found`; as {@link Camera.picture} */
  async picture(request: PictureRequest): Promise<Outgoing> {
    const camera = this.#cameras.get(request.cameraId);
    if (!camera) throw new ShoalError('not-found', 'this device does not have the camera');
    return camera.picture(request);
  }

  /** Ends every camera for good, and takes none from here on. */
  forget(): Promise<void> {
    this.#closed = true;
    return this.#inTurn(async () => {
      await Promise.all([...this.#cameras.values()].map((camera) => camera.stop()));
      this.#cameras.clear();
      const { store } = this.#deps;
      for (const { cameraId } of store.all()) await store.remove(cameraId);
    });
  }

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#closed = true;
    await this.#changing;
    await Promise.all([...this.#cameras.values()].map((camera) => camera.stop()));
  }

  #begin(assignment: CameraAssignment): void {
    const camera = new Camera(this.#deps, assignment, this.#options);
    this.#cameras.set(assignment.cameraId, camera);
    camera.start();
  }

  #check({ cameraId, pipeline: name, model, variant, targetFps, source }: CameraAssignment): void {
    if (this.#closed) throw new ShoalError('work.refused', 'the device is draining');
    const pipeline = findPipeline(name);
    if (!pipeline?.task)
      throw new ShoalError('input.invalid', `a camera cannot run the pipeline ${name}`, { field: 'pipeline' });
    if (!this.#deps.shelf.knows(model, variant)) {
      throw new ShoalError('model.unknown', `${model} ${variant} is not in this device's catalogue`, {
        model,
        variant,
      });
    }
    if (!(targetFps >= 0 && targetFps <= mostFps)) {
      throw new ShoalError('input.invalid', `the rate must be between 0 and ${mostFps} per second`, {
        field: 'target_fps',
      });
    }
    if (source === '') throw new ShoalError('input.invalid', 'the source is empty', { field: 'source' });
    if (!this.#cameras.has(cameraId) && this.#cameras.size >= mostCameras) {
      throw new ShoalError('work.refused', `this device has ${mostCameras} cameras, the most it takes`);
    }
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => {});
    return done;
  }
}
