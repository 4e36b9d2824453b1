import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { CoarseDevice } from '../../src/coarse/coarse-device.ts';
import { type CameraOrder, DeviceCameras, type Watching } from '../../src/coarse/device-cameras.ts';
import { EventQueue } from '../../src/coarse/event-queue.ts';
import { type CameraGroup, type DeviceClassName, deviceClasses, links } from '../../src/fleet/index.ts';

const group: CameraGroup = {
  name: 'door',
  count: 1,
  fps: 5,
  stream: { width: 1_280, height: 720, fps: 20, codec: 'h264' },
  substream: { width: 640, height: 360, fps: 4, codec: 'h264' },
  labels: {},
  objects: { few: 1, some: 0, many: 0 },
  accuracyLoss: 1,
};

function aDevice(name: DeviceClassName) {
  const events = new EventQueue();
  const seen = new Map<string, Watching | undefined>();
  const known = undefined as never;
  const own = { class: name, count: 1, labels: {}, link: links.ethernet };
  const after = (ms: number, act: () => void) => events.after(ms, act);
  const timeline = { wallMs: () => events.nowMs, after };
  const device = new CoarseDevice(known, own, deviceClasses[name], seededRandom(1), timeline);
  const cameras = new DeviceCameras(device, {
    events: { after },
    tell: (id, watching) => seen.set(id, watching),
  });
  return { device, cameras, events, seen };
}

const given = { model: 'efficientdet-lite0', variant: 'int8', decode: 'full', fps: 5 } as const;
const order = (more: Partial<CameraOrder> = {}): CameraOrder => ({
  id: 'cam',
  revision: 1,
  group,
  grant: given,
  ...more,
});

/** A Raspberry Pi 4 that has had the camera for some time. */
function watching(more: Partial<CameraOrder> = {}) {
  const world = aDevice('pi-4');
  world.cameras.take(order(more));
  world.events.run(10_000);
  return world;
}

describe('a camera on a coarse device', () => {
  it('runs when its model is in memory and its source is open, and then takes its part', () => {
    const { device, cameras, events, seen } = aDevice('pi-4');
    cameras.take(order());
    events.run(deviceClasses['pi-4'].loadMs + 999);
    expect([seen.get('cam'), device.standing.load]).toEqual([undefined, 0]);
    expect(cameras.statuses).toMatchObject([{ cameraId: 'cam', state: 'connecting', fps: 0, decodeCores: 0 }]);
    events.run(deviceClasses['pi-4'].loadMs + 1_000);
    expect(seen.get('cam')).toEqual({ fps: 5, decode: 'full' });
    expect(device.standing.load).toBeCloseTo((5 * (142 + 3)) / 1_000, 2);
    expect(device.standing.watts).toBeCloseTo(3.4 * 5 * 0.142, 2);
    expect(cameras.statuses).toMatchObject([
      { state: 'running', fps: 5, seenFps: 5, sourceWidth: 1_280, sourceFps: 20 },
    ]);
  });

  it.each([
    ['full', 5, 0.046],
    ['skip', 5, 0.0276],
    ['keyframes', 0.5, 0.0078],
    ['substream', 4, 0.0023],
  ] as const)('decoded at %s gives %f frames a second and keeps %f cores busy', (decode, fps, cores) => {
    const { cameras, seen } = watching({ grant: { ...given, decode } });
    expect(seen.get('cam')).toEqual({ fps, decode });
    expect(cameras.statuses[0]?.decodeCores).toBeCloseTo(cores, 3);
  });

  it('takes longer to decode when it is H.265', () => {
    const { cameras } = watching({ group: { ...group, stream: { ...group.stream, codec: 'h265' } } });
    expect(cameras.statuses[0]?.decodeCores).toBeCloseTo(1.3 * 0.046, 3);
  });

  it('is analysed as far as there is time, each the same part, and never takes all of the device', () => {
    const { device, cameras, events, seen } = watching();
    cameras.take(order({ id: 'other' }));
    events.run(20_000);
    const part = 0.9 / (2 * 5 * 0.145);
    expect(device.standing.load).toBeCloseTo(0.9, 9);
    for (const id of ['cam', 'other']) expect(seen.get(id)?.fps).toBeCloseTo(5 * part, 1);
    expect(cameras.statuses[0]).toMatchObject({ seenFps: 5 });
    cameras.drop('other');
    expect(seen.get('other')).toBeUndefined();
    expect(seen.get('cam')?.fps).toBe(5);
  });

  it('begins anew with a newer order, and not with one that it has', () => {
    const { cameras, events, seen } = watching({ revision: 2 });
    cameras.take(order({ revision: 2, grant: { ...given, fps: 1 } }));
    cameras.take(order({ revision: 1, grant: { ...given, fps: 1 } }));
    expect(seen.get('cam')).toEqual({ fps: 5, decode: 'full' });
    cameras.take(order({ revision: 3, grant: { ...given, fps: 1 } }));
    expect(seen.get('cam')).toBeUndefined();
    // Its model is in memory.
    events.run(11_000);
    expect(seen.get('cam')).toEqual({ fps: 1, decode: 'full' });
  });

  it('stops with its device, and goes on when that is back', () => {
    const { device, cameras, events, seen } = watching();
    device.fail();
    cameras.stop();
    expect([seen.get('cam'), device.standing]).toEqual([undefined, { load: 0, watts: 0 }]);
    events.run(60_000);
    expect(seen.get('cam')).toBeUndefined();
    device.recover();
    cameras.restart();
    expect(cameras.ids).toEqual(['cam']);
    events.run(60_000 + deviceClasses['pi-4'].loadMs + 1_000);
    expect(seen.get('cam')).toEqual({ fps: 5, decode: 'full' });
  });
});
