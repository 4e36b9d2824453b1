import { asShoalError, type Clock, every, type Logger, type Messenger, type Random, ShoalError } from '@shoal/protocol';
import type { Camera, PlacementCandidate } from '../domain/index.ts';
import { cameraShare, type PlacementPolicy, type Plan } from '../placement/index.ts';
import type { FleetDevice, FleetListener, Registry } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import type { LiveCamera } from './live-camera.ts';
import { placeCamera } from './place-camera.ts';

export interface BinderOptions {
  readonly placement: PlacementPolicy;
  /** How long a device may take to answer that it takes a camera, ms. */
  readonly assignTimeoutMs: number;
}

/** Cameras that wait for a device are looked at again this often, ms. */
const lookAgainMs = 2_000;
/** And this long after a device has become available: in a large fleet one does so all the time, ms. */
const lookSoonMs = 50;
/** Devices that had a camera before, as many as are remembered. */
const formerKept = 16;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer'>;
  readonly registry: Registry;
  readonly messenger: Messenger;
  /** By id; whoever keeps them adds and removes. */
  readonly cameras: ReadonlyMap<string, LiveCamera>;
}

/** Binds cameras to devices, and binds them anew when a device is gone or says no. */
export class CameraBinder implements FleetListener {
  readonly #deps: Deps;
  readonly #options: BinderOptions;
  #stopLooking = () => {};
  #stopped = false;
  #looking = false;

  constructor(deps: Deps, options: BinderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    this.#stopLooking = every(this.#deps.clock, 'cameras: those that wait', lookAgainMs, () => {
      this.#lookAgain();
      this.#findMissing();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopLooking();
  }

  /** Finds a device for the camera, or keeps the one it has, and tells it. */
  settle(live: LiveCamera): void {
    if (this.#stopped || live.removed || !live.resolved) return;
    const { registry } = this.#deps;
    const bound = live.camera.device === undefined ? undefined : registry.device(live.camera.device);
    if (bound && this.#mayStay(live, bound)) {
      this.#fit(live, bound);
      this.#assign(live, bound);
      return;
    }
    if (bound) this.#unbind(live, 'it does not fit what is asked for any more');
    const plan = this.#plan(live);
    if (plan.kind === 'unplaced') {
      if (live.camera.reason !== plan.reason) this.change(live, { reason: plan.reason, refused: plan.refused });
      return;
    }
    const { chosen, refused } = plan.placement;
    live.choice = choiceOf(chosen);
    const reason = needText(live, chosen.inferenceMs);
    this.change(live, { device: chosen.device, reason, refused, revision: live.camera.revision + 1 });
    this.#loads(chosen.device);
    const device = registry.device(chosen.device);
    if (device) this.#assign(live, device);
  }

  /** The camera was removed: its device is free of it. */
  release({ camera: { id, device } }: LiveCamera): void {
    this.#loads(device);
    if (device !== undefined) this.#takeOff(device, id, 'the camera was removed');
  }

  /** Takes the change in at once; it is durable with the next commit. */
  change(live: LiveCamera, change: Partial<Camera>): void {
    live.camera = { ...live.camera, ...change };
    if (!live.removed) this.#deps.store.defer({ kind: 'camera', camera: live.camera });
  }

  /** The device said which cameras it has: the two sides agree again. */
  reconcile(device: FleetDevice, runningThere: readonly string[]): void {
    for (const id of runningThere) {
      const live = this.#deps.cameras.get(id);
      if (live && this.#goesOn(live, device))
        this.change(live, { device: device.id, reason: 'it went on there while it was cut off' });
      if (live?.camera.device !== device.id) this.#takeOff(device.id, id, 'the camera runs elsewhere or was removed');
    }
    this.#loads(device.id);
    // Said again even when it has the camera: it may have an older revision. One that it has already changes nothing.
    for (const live of this.#deps.cameras.values()) {
      if (live.camera.device !== device.id) continue;
      this.#fit(live, device);
      this.#assign(live, device);
    }
  }

  /** The device reported which cameras it has: what got lost on the way there, a removal or a hello, is made up for. */
  heardOf(device: FleetDevice): void {
    for (const { cameraId } of device.telemetry?.cameras ?? []) {
      if (this.#deps.cameras.get(cameraId)?.camera.device !== device.id)
        this.#takeOff(device.id, cameraId, 'the camera runs elsewhere or was removed');
    }
  }

  onAvailable(device: FleetDevice): void {
    if (device.draining) this.#leave(device, 'the device is being drained');
    if (this.#looking) return;
    this.#looking = true;
    this.#deps.clock.after('cameras: look again', lookSoonMs, () => {
      this.#looking = false;
      this.#lookAgain();
    });
  }

  onGone(device: FleetDevice, reason: string): void {
    this.#leave(device, reason);
  }

  #lookAgain(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const live of this.#deps.cameras.values()) {
      if (live.agreed) continue;
      live.forgive(nowMs);
      if (live.camera.device === undefined || (!live.agreed && !live.asking)) this.settle(live);
    }
  }

  #findMissing(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const live of this.#deps.cameras.values()) {
      if (live.agreed && !live.asking && this.#isMissing(live, nowMs)) this.settle(live);
    }
  }

  /** The device had agreed to the camera and does not report it: it was taken off by a word that came late. */
  #isMissing({ camera, agreedMs }: LiveCamera, nowMs: number): boolean {
    const device = this.#deps.registry.device(camera.device ?? '');
    if (device?.presence !== 'online' || !device.telemetry) return false;
    if (nowMs - agreedMs < this.#options.assignTimeoutMs) return false;
    return !device.telemetry.cameras.some(({ cameraId }) => cameraId === camera.id);
  }

  #leave(device: FleetDevice, reason: string): void {
    for (const live of this.#deps.cameras.values()) {
      if (live.camera.device !== device.id) continue;
      this.#unbind(live, reason);
      this.settle(live);
    }
  }

  /** A device that was cut off went on with the camera, and nobody else has it since. */
  #goesOn(live: LiveCamera, device: FleetDevice): boolean {
    const { device: bound, formerDevices } = live.camera;
    return bound === undefined && formerDevices.includes(device.id) && this.#mayStay(live, device);
  }

  #mayStay({ camera: { spec } }: LiveCamera, device: FleetDevice): boolean {
    if (device.record.revoked || device.draining || device.presence === 'offline') return false;
    if (spec.device !== undefined && spec.device !== device.id) return false;
    return Object.entries(spec.labels).every(([name, value]) => device.labels[name] === value);
  }

  #assign(live: LiveCamera, device: FleetDevice): void {
    void this.#ask(live, device).catch((error) => {
      this.#deps.logger.error('a camera could not be assigned', {
        camera: live.camera.id,
        error: asShoalError(error).message,
      });
    });
  }

  async #ask(live: LiveCamera, device: FleetDevice): Promise<void> {
    if (device.presence !== 'online' || !live.resolved || live.removed) return;
    const { camera } = live;
    const { revision } = camera;
    if (live.asking === revision) return;
    live.asking = revision;
    live.agreed = false;
    try {
      // A revision is never used twice: the device would take the second one for the first.
      if (live.durableRevision !== revision) await this.#deps.store.commit([{ kind: 'camera', camera }]);
      live.durableRevision = revision;
      await this.#deps.messenger.request(
        device.id,
        { cameraAssignment: assignmentOf(camera, choiceFor(live)) },
        { timeoutMs: this.#options.assignTimeoutMs },
      );
      if (live.camera.revision === revision) live.agree(this.#deps.clock.monotonicMs());
    } catch (thrown) {
      this.#notTaken(live, device, revision, asShoalError(thrown));
    } finally {
      if (live.asking === revision) live.asking = undefined;
    }
  }

  #notTaken(live: LiveCamera, device: FleetDevice, revision: number, error: ShoalError): void {
    if (
      live.removed ||
      live.camera.revision !== revision ||
      live.camera.device !== device.id ||
      error.code === 'closed'
    )
      return;
    // Silence is found out by liveness; only a device that answered has said no.
    if (error.facts['fromPeer'] !== true) return;
    live.decline(device.id, error.message, this.#deps.clock.monotonicMs());
    this.#unbind(live, `${device.record.name} would not take it: ${error.message}`);
    this.settle(live);
  }

  /** Where a camera stays after a change or a restart, it is chosen again what is run; it is the same as long as what is asked and the measurements are. */
  #fit(live: LiveCamera, device: FleetDevice): void {
    if (live.choice) return;
    const { camera } = live;
    // It is no load to itself: without a choice it counts for none.
    this.#loads(device.id);
    const plan = this.#plan({ ...live, camera: { ...camera, spec: { ...camera.spec, device: device.id } } });
    if (plan.kind === 'placed') {
      live.choice = choiceOf(plan.placement.chosen);
      const reason = needText(live, plan.placement.chosen.inferenceMs);
      if (camera.reason !== reason) this.change(live, { reason });
    }
    this.#loads(device.id);
  }

  #plan({ camera: { id, spec }, resolved, declined }: Pick<LiveCamera, 'camera' | 'resolved' | 'declined'>): Plan {
    const { registry, clock, random } = this.#deps;
    if (!resolved) throw new ShoalError('defect', 'a camera without a model cannot be placed');
    const refusedBy = new Map([...declined].map(([device, { reason }]) => [device, reason]));
    return placeCamera(
      registry.fleet,
      { id, spec, resolved, declined: refusedBy },
      { nowMs: clock.monotonicMs(), wallMs: clock.nowMs(), random, ...this.#options.placement },
    );
  }

  #unbind(live: LiveCamera, reason: string): void {
    const { device, formerDevices } = live.camera;
    if (device === undefined) return;
    const former = [...formerDevices.filter((id) => id !== device), device].slice(-formerKept);
    const { device: _, ...camera } = live.camera;
    live.camera = camera;
    live.choice = undefined;
    live.agreed = false;
    this.change(live, { formerDevices: former, reason });
    this.#loads(device);
    this.#takeOff(device, camera.id, reason);
  }

  /** Said once: a device that did not hear it goes on reporting the camera, and is told again. */
  #takeOff(deviceId: string, cameraId: string, reason: string): void {
    if (this.#deps.registry.device(deviceId)?.presence !== 'online') return;
    this.#deps.messenger.send(deviceId, { payload: { cameraRemoval: { cameraId, reason } } });
  }

  /** What the cameras of a device take of it. */
  #loads(deviceId: string | undefined): void {
    const device = deviceId === undefined ? undefined : this.#deps.registry.device(deviceId);
    if (!device) return;
    let load = 0;
    let watts = 0;
    for (const live of this.#deps.cameras.values()) {
      if (live.camera.device !== device.id) continue;
      const share = shareOf(live, device);
      load += share.load;
      watts += share.watts;
    }
    device.setCameras(load, watts);
  }
}

/** What the camera takes of its device. */
function shareOf(
  { camera, choice }: LiveCamera,
  device: FleetDevice,
): { readonly load: number; readonly watts: number } {
  return choice ? cameraShare(device, { ...choice, fps: camera.spec.targetFps }) : { load: 0, watts: 0 };
}

function choiceOf({ model = '', variant = '' }: PlacementCandidate): NonNullable<LiveCamera['choice']> {
  return { model, variant };
}

/** What was chosen; where nothing could be, what is asked for. */
function choiceFor({ choice, resolved }: LiveCamera): NonNullable<LiveCamera['choice']> {
  const [first] = resolved?.choices ?? [];
  return choice ?? { model: first?.model ?? '', variant: first?.variant.name ?? '' };
}

function needText({ camera }: LiveCamera, inferenceMs: number): string {
  return `expected to need ${inferenceMs.toFixed(1)} ms per frame for ${camera.spec.targetFps} frames per second`;
}

function assignmentOf({ id, revision, spec }: Camera, { model, variant }: NonNullable<LiveCamera['choice']>) {
  return {
    cameraId: id,
    revision,
    name: spec.name,
    source: spec.source,
    pipeline: spec.pipeline,
    model,
    variant,
    targetFps: spec.targetFps,
    parametersJson: Object.keys(spec.parameters).length === 0 ? '' : JSON.stringify(spec.parameters),
    loop: spec.loop,
  };
}
