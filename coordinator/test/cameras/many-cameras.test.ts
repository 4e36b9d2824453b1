import { peerIdOf, seededRandom, silentLogger } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { CameraBinder } from '../../src/cameras/camera-binder.ts';
import { LiveCamera } from '../../src/cameras/live-camera.ts';
import { aChoice } from '../../src/placement/index.ts';
import { type FleetDevice, Registry } from '../../src/registry/index.ts';
import { aCamera, aDeviceRecord, aProfile, aTelemetry } from '../support/builders.ts';
import { aPolicy } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

const silence = aTelemetry();

/** Counts how often all of the cameras are gone through. */
class CountedCameras extends Map<string, LiveCamera> {
  scans = 0;

  override values(): MapIterator<LiveCamera> {
    this.scans += 1;
    return super.values();
  }
}

/** Devices that take every camera at once, and cameras that are on them in turn. */
function aBinder(devices: number, count: number) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const store = { commit: async () => {}, defer: () => {} };
  const registry = new Registry(
    { clock, random, logger: silentLogger, store, tokens: undefined as never },
    { telemetryIntervalMs: 10_000, livenessTimeoutMs: 3_600_000, deviceLimit: devices },
  );
  const records = Array.from({ length: devices }, (_, n) => {
    const publicKey = random.bytes(32);
    const profiles = [aProfile({ model: 'm', p50Ms: 10, p95Ms: 12 })];
    return aDeviceRecord({ id: peerIdOf('device', publicKey), publicKey, name: `d${n}`, profiles });
  });
  registry.load(records);
  const fleet = records.map(({ id }) => registry.device(id) as FleetDevice);
  const cameras = new CountedCameras();
  const line = {
    ask: (_live: LiveCamera, _device: FleetDevice, answered: () => void) => clock.soon('answer', answered),
    takeOff: () => {},
  };
  const options = { placement: aPolicy, assignTimeoutMs: 10_000 };
  const binder = new CameraBinder({ clock, random, store, registry, line, cameras }, options);
  for (const device of fleet) {
    registry.heard(device);
    registry.telemetry(device, silence);
  }
  const grant = { model: 'm', variant: 'int8', decode: 'full', fps: 1 } as const;
  for (let n = 0; n < count; n++) {
    const bound = { device: fleet[n % devices]?.id ?? '', grant };
    const camera = { ...aCamera({ id: `cam_${n}`, createdAtMs: n }), ...bound };
    const live = new LiveCamera({ ...camera, spec: { ...camera.spec, targetFps: 1, labels: {} } }, {
      pipeline: 'detect',
      choices: [aChoice('m', aVariant(), 0.3)],
    } as unknown as LiveCamera['resolved']);
    live.agree(0);
    cameras.set(camera.id, live);
  }
  const placesOf = () => [...cameras.keys()].map((id) => cameras.get(id)?.camera.device);
  return { binder, clock, fleet, cameras, placesOf };
}

describe('many cameras', () => {
  it('are not gone through for one device that says what it has, or that leaves', async () => {
    const { binder, clock, fleet, cameras, placesOf } = aBinder(10, 50);
    const [first, second] = fleet as [FleetDevice, FleetDevice];
    binder.onGone(first, 'gone');
    await clock.advance(10);
    expect(placesOf()).not.toContain(undefined);
    const before = cameras.scans;
    binder.reconcile(second, ['cam_1', 'cam_11']);
    second.presence = 'offline';
    binder.onGone(second, 'gone');
    await clock.advance(10);
    expect(cameras.scans).toBe(before);
    expect(placesOf()).not.toContain(undefined);
    expect(placesOf()).not.toContain(second.id);
  });

  it('are each found on the device that they were moved to, and nowhere once they were removed', async () => {
    const { binder, clock, fleet, cameras, placesOf } = aBinder(2, 4);
    const [first, second] = fleet as [FleetDevice, FleetDevice];
    first.presence = 'offline';
    binder.onGone(first, 'gone');
    await clock.advance(10);
    const gone = cameras.get('cam_1') as LiveCamera;
    gone.removed = true;
    cameras.delete('cam_1');
    binder.release(gone);
    first.presence = 'online';
    second.presence = 'offline';
    binder.onGone(second, 'gone');
    await clock.advance(10);
    expect(placesOf()).toEqual(Array(3).fill(first.id));
    expect(second.cameraLoad).toBe(0);
    expect(first.cameraLoad).toBeGreaterThan(0);
  });
});
