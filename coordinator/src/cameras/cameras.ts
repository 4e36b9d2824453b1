import {
  asShoalError,
  type CameraReport,
  type Clock,
  type Logger,
  type Messenger,
  newId,
  type Random,
  ShoalError,
} from '@shoal/protocol';
import type { ApiKeyRing } from '../access/index.ts';
import type { Camera, CameraSpec, Cameras, CameraView, PushOutcome } from '../domain/index.ts';
import type { EventBook } from '../events/index.ts';
import type { ModelIndex } from '../pipelines/index.ts';
import type { FleetDevice, FleetListener, Registry } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import { type BinderOptions, CameraBinder } from './camera-binder.ts';
import { MessengerLine } from './camera-line.ts';
import { checkCamera } from './check-camera.ts';
import { noFootage } from './footage.ts';
import { LiveCamera } from './live-camera.ts';
import { PushedPictures } from './pushed-pictures.ts';
import type { Reports } from './reports.ts';
import { serviceLevelOf } from './service-level.ts';

export interface CameraOptions extends BinderOptions {
  readonly cameraLimit: number;
  /** The largest picture that a camera may send by itself, bytes. */
  readonly largestPictureBytes: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer'>;
  readonly registry: Registry;
  readonly messenger: Messenger;
  readonly models: ModelIndex;
  readonly reports: Reports;
  readonly events: EventBook;
  readonly keys: Pick<ApiKeyRing, 'goingWith'>;
}

/** The cameras: made, changed, removed, shown. Where each runs is the binder's to decide. */
export class CameraBook implements Cameras, FleetListener {
  readonly #deps: Deps;
  readonly #options: CameraOptions;
  readonly #cameras = new Map<string, LiveCamera>();
  readonly #binder: CameraBinder;
  readonly #pushed: PushedPictures;

  constructor(deps: Deps, options: CameraOptions) {
    this.#deps = deps;
    this.#options = options;
    const line = new MessengerLine(deps, options.assignTimeoutMs);
    this.#binder = new CameraBinder({ ...deps, line, cameras: this.#cameras }, options);
    this.#pushed = new PushedPictures({ ...deps, cameras: this.#cameras }, options.largestPictureBytes);
  }

  load(cameras: readonly Camera[]): void {
    for (const camera of cameras) {
      try {
        this.#cameras.set(camera.id, new LiveCamera(camera, checkCamera(camera.spec, this.#deps.models)));
      } catch (error) {
        const why = asShoalError(error).message;
        this.#deps.logger.warn('a camera cannot go on', { camera: camera.id, why });
        this.#cameras.set(camera.id, new LiveCamera({ ...camera, reason: why }, undefined));
      }
    }
  }

  start(): void {
    this.#binder.start();
  }

  stop(): void {
    this.#binder.stop();
    this.#pushed.stop();
  }

  async create(spec: CameraSpec): Promise<Camera> {
    const { clock, random, store, models } = this.#deps;
    const resolved = checkCamera(spec, models);
    if (this.#cameras.size >= this.#options.cameraLimit) {
      throw new ShoalError('queue.full', `there are ${this.#options.cameraLimit} cameras, the most`);
    }
    const createdAtMs = clock.nowMs();
    const id = newId('cam', createdAtMs, random);
    const camera: Camera = {
      id,
      spec,
      revision: 1,
      createdAtMs,
      formerDevices: [],
      reason: 'waits for a device',
      refused: [],
    };
    await store.commit([{ kind: 'camera', camera }]);
    const live = new LiveCamera(camera, resolved);
    this.#cameras.set(id, live);
    this.#binder.settle(live);
    return live.camera;
  }

  async update(id: string, spec: CameraSpec): Promise<Camera> {
    const live = this.#known(id);
    const before = { spec: live.camera.spec, resolved: live.resolved, grant: live.camera.grant };
    const resolved = checkCamera(spec, this.#deps.models);
    this.#binder.change(live, { spec, revision: live.camera.revision + 1 });
    live.resolved = resolved;
    if (spec.source !== before.spec.source || spec.substream !== before.spec.substream) live.seen = noFootage;
    this.#binder.forgetGrant(live);
    try {
      await this.#deps.store.commit([{ kind: 'camera', camera: live.camera }]);
    } catch (error) {
      // Whoever is told that it could not be changed finds it as it was.
      live.resolved = before.resolved;
      const { spec, grant } = before;
      this.#binder.change(live, { spec, ...(grant && { grant }), revision: live.camera.revision + 1 });
      throw error;
    }
    this.#binder.settle(live);
    return live.camera;
  }

  async remove(id: string): Promise<void> {
    const live = this.#known(id);
    // From here on nothing is written of it: that would bring it back.
    live.removed = true;
    try {
      const keys = this.#deps.keys.goingWith(id);
      await this.#deps.store.commit([{ kind: 'camera-removed', id }, ...keys.changes]);
      keys.forget();
    } catch (error) {
      live.removed = false;
      this.#binder.change(live, {});
      throw error;
    }
    this.#cameras.delete(id);
    this.#binder.release(live);
    this.#deps.events.endOf(id);
    this.#pushed.forget(id);
  }

  get(id: string): CameraView {
    return this.#view(this.#known(id));
  }

  list(): readonly CameraView[] {
    return Array.from(this.#cameras.values(), (live) => this.#view(live));
  }

  push(id: string, picture: Uint8Array): PushOutcome {
    return this.#pushed.take(id, picture);
  }

  counts(): { readonly placed: number; readonly waiting: number } {
    let [placed, waiting] = [0, 0];
    for (const { camera } of this.#cameras.values()) {
      if (camera.device !== undefined) placed += 1;
      else if (!camera.spec.paused) waiting += 1;
    }
    return { placed, waiting };
  }

  /** Resolves when the report may be acknowledged: it is durable, or its camera was removed. @throws as {@link Reports.take}. */
  async report(device: FleetDevice, report: CameraReport): Promise<void> {
    const live = this.#cameras.get(report.cameraId);
    if (!live) return;
    const { camera } = live;
    if (![camera.device, ...camera.formerDevices].some((id) => id && this.#deps.registry.isOrWas(device, id))) {
      throw new ShoalError('message.misaddressed', 'this camera was never given to this device', { camera: camera.id });
    }
    await this.#deps.reports.take(device, report);
    this.#binder.reported(live, device);
  }

  /** The device said which cameras it has: the two sides agree again. */
  reconcile(device: FleetDevice, runningThere: readonly string[]): void {
    this.#binder.reconcile(device, runningThere);
  }

  heardOf(device: FleetDevice): void {
    this.#binder.heardOf(device);
  }

  onAvailable(device: FleetDevice): void {
    this.#binder.onAvailable(device);
  }

  onGone(device: FleetDevice, reason: string): void {
    this.#binder.onGone(device, reason);
  }

  #view({ camera }: LiveCamera): CameraView {
    const device = camera.device === undefined ? undefined : this.#deps.registry.device(camera.device);
    const status = device?.telemetry?.cameras.find(({ cameraId }) => cameraId === camera.id);
    const pushed = this.#pushed.counts(camera.id);
    return {
      ...camera,
      ...(status && { status }),
      ...(pushed && { pushed }),
      service: serviceLevelOf(camera, status),
    };
  }

  #known(id: string): LiveCamera {
    const live = this.#cameras.get(id);
    if (!live || live.removed) throw new ShoalError('not-found', `there is no camera ${id.slice(0, 64)}`);
    return live;
  }
}
