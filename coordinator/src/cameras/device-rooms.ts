import type { PeerId } from '@shoal/protocol';
import {
  type Apportionment,
  type Asker,
  apportion,
  type CameraShare,
  cameraShare,
  coresOf,
  decodeLadder,
  fullLoad,
  leastRate,
  variantKey,
} from '../placement/index.ts';
import type { FleetDevice, Registry } from '../registry/index.ts';
import { DecodeFactors } from './decode-factors.ts';
import type { LiveCamera } from './live-camera.ts';

/** Sums of shares are this much off at most, of the whole. */
const tolerance = 1e-6;

const nothing: CameraShare = { load: 0, watts: 0, decode: 0 };

/** What the cameras of each device take of it, and what each of them could be given there. */
export class DeviceRooms {
  readonly #cameras: ReadonlyMap<string, LiveCamera>;
  readonly #registry: Registry;
  readonly #decodeFactors = new DecodeFactors();
  /** Every camera is found under its device; some under one that they have left. */
  #index: Map<PeerId, Set<LiveCamera>> | undefined;

  constructor(cameras: ReadonlyMap<string, LiveCamera>, registry: Registry) {
    this.#cameras = cameras;
    this.#registry = registry;
  }

  /** The camera has a device now. That it has left one is seen when that is looked at. */
  bound(live: LiveCamera): void {
    const { device } = live.camera;
    if (device !== undefined) add(this.#byDevice(), device, live);
  }

  on(device: PeerId): readonly LiveCamera[] {
    const byDevice = this.#byDevice();
    const all = byDevice.get(device);
    if (!all) return [];
    for (const live of all) if (!this.#isOn(live, device)) all.delete(live);
    if (all.size === 0) byDevice.delete(device);
    return [...all];
  }

  /** Those that have one, by their devices. */
  byDevice(): ReadonlyMap<PeerId, readonly LiveCamera[]> {
    const byDevice = new Map<PeerId, readonly LiveCamera[]>();
    for (const device of [...this.#byDevice().keys()]) {
      const there = this.on(device);
      if (there.length > 0) byDevice.set(device, there);
    }
    return byDevice;
  }

  #isOn({ camera }: LiveCamera, device: PeerId): boolean {
    return camera.device === device && this.#cameras.has(camera.id);
  }

  /** What was there at the start is taken in when somebody first asks. */
  #byDevice(): Map<PeerId, Set<LiveCamera>> {
    if (this.#index) return this.#index;
    this.#index = new Map();
    for (const live of this.#cameras.values()) this.bound(live);
    return this.#index;
  }

  /** Placement sees what the cameras of the device take of it now. */
  count(deviceId: PeerId | undefined, there = deviceId === undefined ? [] : this.on(deviceId)): void {
    const device = deviceId === undefined ? undefined : this.#registry.device(deviceId);
    if (!device) return;
    const factor = this.#decodeFactors.of(device, there);
    let taken = nothing;
    const models = new Set<string>();
    for (const live of there) {
      taken = plus(taken, shareOf(live, device, factor));
      const { grant } = live.camera;
      if (grant) models.add(variantKey(grant.model, grant.variant));
    }
    device.setCameras(taken, factor, models);
  }

  /** At each look: what its cameras show of the device is remembered. */
  learn(device: FleetDevice, there: readonly LiveCamera[]): void {
    this.#decodeFactors.learn(device, there);
    this.count(device.id, there);
  }

  /** What the camera takes where it runs; `undefined` while it runs nowhere. */
  current({ camera, footage }: LiveCamera): (CameraShare & { readonly device: PeerId }) | undefined {
    const device = camera.device === undefined ? undefined : this.#registry.device(camera.device);
    return device && { device: device.id, ...shareOf({ camera, footage }, device, device.decode.factor) };
  }

  /** What others would give up for the camera on each device: all that they have when they matter less, what they can do without when they matter as much. */
  yieldedTo(live: LiveCamera, only?: PeerId): ReadonlyMap<PeerId, CameraShare> {
    const yields = new Map<PeerId, CameraShare>();
    for (const [id, there] of only === undefined ? this.byDevice() : [[only, this.on(only)] as const]) {
      const device = this.#registry.device(id);
      if (!device) continue;
      let sum = nothing;
      for (const other of there)
        if (other !== live && other.priority <= live.priority) sum = plus(sum, yieldOf(other, device, live.priority));
      if (sum.load > 0 || sum.decode > 0) yields.set(id, sum);
    }
    return yields;
  }

  /** Whether there is room for all that its cameras were given. */
  fits({ decode, cameraLoad }: FleetDevice): boolean {
    return decode.taken <= decode.capacity * (1 + tolerance) && cameraLoad <= fullLoad * (1 + tolerance);
  }

  /** What each could be given. @param part of the device that may be given. */
  apportion(device: FleetDevice, there: readonly LiveCamera[], part = 1): Apportionment {
    const askers = there.map((live) => askerOf(live, device));
    return apportion(askers, device.decode.capacity * part, fullLoad * part);
  }
}

/** With grants that are left out, a camera takes nothing: of one that was not given anything yet, nothing is known. */
function shareOf(
  { camera: { grant }, footage }: Pick<LiveCamera, 'camera' | 'footage'>,
  device: FleetDevice,
  factor: number,
): CameraShare {
  if (!grant) return nothing;
  return { ...cameraShare(device, grant), decode: coresOf(grant.decode, footage) * factor };
}

function yieldOf(other: LiveCamera, device: FleetDevice, priority: number): CameraShare {
  const share = shareOf(other, device, device.decode.factor);
  if (other.priority < priority) return share;
  const { grant, spec } = other.camera;
  const least = grant
    ? cameraShare(device, { ...grant, fps: Math.min(grant.fps, leastRate * spec.targetFps) })
    : nothing;
  const cheapest = decodeLadder(other.footage, spec.targetFps, device.decode.factor).at(-1)?.cores ?? 0;
  return {
    load: share.load - least.load,
    watts: share.watts - least.watts,
    decode: Math.max(0, share.decode - cheapest),
  };
}

function askerOf(live: LiveCamera, device: FleetDevice): Asker {
  const { id, createdAtMs, spec, grant } = live.camera;
  const measured = grant && device.figures(`${grant.model}/${grant.variant}`).run !== undefined;
  return {
    id,
    priority: live.priority,
    since: createdAtMs,
    fps: spec.targetFps,
    loadPerFps: measured ? cameraShare(device, { ...grant, fps: 1 }).load : 0,
    ladder: decodeLadder(live.footage, spec.targetFps, device.decode.factor),
  };
}

function plus(a: CameraShare, b: CameraShare): CameraShare {
  return { load: a.load + b.load, watts: a.watts + b.watts, decode: a.decode + b.decode };
}

function add(index: Map<PeerId, Set<LiveCamera>>, device: PeerId, live: LiveCamera): void {
  const there = index.get(device);
  if (there) there.add(live);
  else index.set(device, new Set([live]));
}
