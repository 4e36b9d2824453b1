import { CameraAssignment, ShoalError } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { ScriptedDevice } from '../support/scripted-device.ts';
import { aDoor } from '../support/watching.ts';
import { aWorld, type World } from '../support/world.ts';

const create = (world: World) => world.clock.until(world.coordinator.cameras.create(aDoor));

/** Telemetry as a device sends it: with the cameras that it has. */
function report(device: ScriptedDevice): void {
  device.telemetry({ telemetry: { cameras: [...device.cameras.keys()].map((cameraId) => ({ cameraId })) } });
}

describe('what coordinator and device know of a camera', () => {
  it('is the same again when the device did not hear that the camera went elsewhere, and never had to say hello', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    // A removal that got lost.
    await world.clock.until(world.coordinator.cameras.remove(camera.id));
    await world.clock.advance(100);
    device.cameras.set(camera.id, anAssignment(camera.id));
    report(device);
    await world.clock.advance(100);
    expect([...device.cameras.keys()]).toEqual([]);
  });

  it('is the same again when a removal overtook the assignment that came after it', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    device.cameras.delete(camera.id);
    for (let telemetry = 0; telemetry < 8; telemetry++) {
      report(device);
      await world.clock.advance(2_000);
    }
    expect(device.cameras.get(camera.id)).toMatchObject({ name: 'door' });
  });

  it('does not come to life again when its device dies while it is removed', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(1_000);
    const removed = world.coordinator.cameras.remove(camera.id);
    await world.clock.advance(10);
    device.telemetry({ goodbye: { reason: 'stopped' } });
    await world.clock.until(removed);
    await world.clock.advance(1_000);
    expect([...world.disk.cameras.keys()]).toEqual([]);
  });

  it('is there still, and as it was, when the disk was too full to change or remove it', async () => {
    const world = await aWorld();
    await world.joined();
    const camera = await create(world);
    const { cameras } = world.coordinator;
    await world.clock.advance(100);
    world.disk.failure = new ShoalError('io.disk-full', 'full');
    await expect(world.clock.until(cameras.update(camera.id, { ...aDoor, targetFps: 9 }))).rejects.toMatchObject({
      code: 'io.disk-full',
    });
    await expect(world.clock.until(cameras.remove(camera.id))).rejects.toMatchObject({ code: 'io.disk-full' });
    expect(cameras.get(camera.id).spec).toEqual(aDoor);
    world.disk.failure = undefined;
    await world.clock.advance(1_000);
    expect(world.disk.cameras.get(camera.id)?.spec).toEqual(aDoor);
  });
});

function anAssignment(cameraId: string): CameraAssignment {
  return CameraAssignment.decode(CameraAssignment.encode({ cameraId, revision: 1 }));
}
