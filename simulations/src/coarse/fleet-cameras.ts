import {
  CameraBinder,
  type CameraLine,
  grantNow,
  LiveCamera,
  type PlacementPolicy,
  type Registry,
} from '@shoal/coordinator';
import { type CameraStatus, type Clock, type Random, ShoalError } from '@shoal/protocol';
import type { CameraGroup } from '../fleet/index.ts';
import type { CoarseDevice } from './coarse-device.ts';
import { DeviceCameras } from './device-cameras.ts';
import type { EventQueue } from './event-queue.ts';
import { type CameraFigures, FleetCamera } from './fleet-camera.ts';
import { startPresence } from './presence.ts';
import { choicesForMixed } from './variants.ts';

interface Deps {
  readonly events: EventQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly devices: readonly CoarseDevice[];
}

interface Options {
  readonly placement: PlacementPolicy;
  /** How long a device may take to answer, ms. */
  readonly assignTimeoutMs: number;
}

/**
 * The cameras of a coarse world. Who decides where they run is the product's own binder; what is simulated is what it is told by: the devices, and the
 * messages to them, which take their links' time and are lost when a device is down.
 */
export class FleetCameras implements CameraLine {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #binder: CameraBinder;
  readonly #live = new Map<string, LiveCamera>();
  readonly #all: FleetCamera[] = [];
  /** Those that are there, by the id that they have this time. */
  readonly #there = new Map<string, FleetCamera>();
  readonly #devices = new Map<string, { readonly device: CoarseDevice; readonly cameras: DeviceCameras }>();

  constructor(groups: readonly CameraGroup[], deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
    const { clock, random, registry, events, devices } = deps;
    for (const device of devices) {
      const id = device.known.id;
      const cameras = new DeviceCameras(device, {
        events: { after: (ms, act) => events.after(ms, act) },
        tell: (cameraId, watching) => this.#there.get(cameraId)?.seenBy(id, watching, events.nowMs),
      });
      this.#devices.set(id, { device, cameras });
    }
    const store = { defer: () => {} };
    this.#binder = new CameraBinder({ clock, random, store, registry, line: this, cameras: this.#live }, options);
    registry.subscribe(this.#binder);
    this.#binder.start();
    for (const group of groups) for (let number = 1; number <= group.count; number++) this.#add(group, number);
  }

  /** Of each camera, as they are now. */
  figures(): readonly { readonly group: CameraGroup; readonly figures: CameraFigures }[] {
    return this.#all.map((camera) => {
      camera.settle(this.#deps.events.nowMs);
      return { group: camera.group, figures: camera.figures };
    });
  }

  /** What the device reports of them. */
  statusesOf({ known }: CoarseDevice): CameraStatus[] {
    return this.#devices.get(known.id)?.cameras.statuses ?? [];
  }

  /** The device has reported. */
  heardOf({ known }: CoarseDevice): void {
    this.#binder.heardOf(known);
  }

  failed({ known }: CoarseDevice): void {
    this.#devices.get(known.id)?.cameras.stop();
  }

  /** It goes on with what it was told, and says so. */
  returned({ known }: CoarseDevice): void {
    const cameras = this.#devices.get(known.id)?.cameras;
    cameras?.restart();
    this.#binder.reconcile(known, cameras?.ids ?? []);
  }

  ask(live: LiveCamera, { id: deviceId }: { readonly id: string }, answered: (error?: ShoalError) => void): void {
    const { events } = this.#deps;
    const { id, revision } = live.camera;
    const { device, cameras } = this.#devices.get(deviceId) ?? {};
    const camera = this.#there.get(id);
    if (!device || !cameras || !camera) throw new ShoalError('defect', 'a camera was given to nobody');
    camera.boundOn(deviceId);
    const order = { id, revision, grant: grantNow(live), group: camera.group };
    let isOpen = true;
    const answer = (error?: ShoalError) => {
      if (isOpen) answered(error);
      isOpen = false;
    };
    const oneWayMs = device.group.link.rttMs / 2;
    events.after(oneWayMs, () => {
      if (!device.isUp) return;
      cameras.take(order);
      events.after(oneWayMs, () => answer());
    });
    events.after(this.#options.assignTimeoutMs, () => answer(new ShoalError('timeout', 'the device does not answer')));
  }

  takeOff(deviceId: string, cameraId: string): void {
    const { device, cameras } = this.#devices.get(deviceId) ?? {};
    if (!device || !cameras) return;
    this.#deps.events.after(device.group.link.rttMs / 2, () => {
      if (device.isUp) cameras.drop(cameraId);
    });
  }

  #add(group: CameraGroup, number: number): void {
    const { events, clock, random } = this.#deps;
    const name = `${group.name}-${number}`;
    const camera = new FleetCamera(group);
    this.#all.push(camera);
    let times = 0;
    let live: LiveCamera | undefined;
    startPresence(group, events, () => clock.nowMs(), random, {
      comes: () => {
        times += 1;
        // Whoever comes again is another one: what devices still have of the last one is taken off them.
        live = liveCamera(group, `${name}.${times}`, name, clock.nowMs());
        const { id } = live.camera;
        this.#there.set(id, camera);
        this.#live.set(id, live);
        camera.comes(events.nowMs);
        this.#binder.settle(live);
      },
      goes: () => {
        if (!live) return;
        camera.goes(events.nowMs);
        live.removed = true;
        this.#live.delete(live.camera.id);
        this.#there.delete(live.camera.id);
        this.#binder.release(live);
      },
    });
  }
}

function liveCamera(group: CameraGroup, id: string, name: string, createdAtMs: number): LiveCamera {
  const spec = {
    name,
    source: `rtsp://${name}/`,
    ...(group.substream && { substream: `rtsp://${name}/small` }),
    pipeline: 'detect',
    targetFps: group.fps,
    ...(group.p95Ms !== undefined && { p95Ms: group.p95Ms }),
    ...(group.priority !== undefined && { priority: group.priority }),
    parameters: {},
    loop: false,
    labels: group.labels,
  };
  const camera = { id, spec, revision: 1, createdAtMs, formerDevices: [], reason: '', refused: [] };
  const pipeline = { name: 'detect', takesInput: true, forCameras: true };
  return new LiveCamera(camera, { pipeline, choices: choicesForMixed(group.objects, group.accuracyLoss) });
}
