import type { TelemetryInit } from '@shoal/protocol';
import type { CameraSpec } from '../../src/domain/index.ts';
import { aCapability, aProfile } from './builders.ts';
import { aModelSha256, type ScriptedDevice } from './scripted-device.ts';
import type { World } from './world.ts';

export const aDoor: CameraSpec = {
  name: 'door',
  source: 'rtsp://10.0.0.9/stream',
  pipeline: 'detect',
  model: 'tiny-detector',
  targetFps: 5,
  parameters: {},
  loop: false,
  labels: {},
};

const profile = (p50Ms: number, energyMj: number | null = null) => [
  aProfile({ model: 'tiny-detector', sha256: aModelSha256, p50Ms, p95Ms: p50Ms, energyMj }),
];

interface Joining {
  /** What it says of itself besides its cameras. */
  readonly condition?: () => TelemetryInit;
  readonly capability?: object;
  readonly energyMj?: number;
  /** Frames a second that key frames give. */
  readonly keyFps?: number;
  /** Cores that decoding a camera keeps busy; left out: it does not say. */
  readonly decodeCores?: (cameraId: string) => number;
}

/** What a device says whose cameras all run as they were told. */
const says =
  ({ condition = () => ({}), keyFps = 0.5, decodeCores = () => 0 }: Joining) =>
  (device: ScriptedDevice): TelemetryInit => ({
    ...condition(),
    cameras: Array.from(device.cameras.values(), ({ cameraId, decode, targetFps }) => ({
      cameraId,
      state: 'running',
      decode,
      fps: decode === 'keyframes' ? keyFps : targetFps,
      seenFps: decode === 'keyframes' ? keyFps : targetFps,
      decodeCores: decodeCores(cameraId),
      frames: 100,
      sourceFps: 25,
      sourceWidth: 1_280,
      sourceHeight: 720,
    })),
  });

/** A device that has measured, and reports its cameras. */
export async function joined(world: World, p50Ms: number, change: Joining = {}) {
  const { capability = {}, energyMj = 0 } = change;
  const device = world.aDevice({ profiles: profile(p50Ms, energyMj), capability: aCapability(capability) });
  device.tells = says(change);
  await device.connect();
  await world.clock.until(device.join(await world.token()));
  return device;
}

/** Its id. */
export const create = async (world: World, change: Partial<CameraSpec> = {}) => {
  const camera = await world.clock.until(world.coordinator.cameras.create({ ...aDoor, ...change }));
  await world.clock.advance(100);
  return camera.id;
};
