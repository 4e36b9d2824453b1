import { describe, expect, it } from 'vitest';
import { create, joined } from '../support/watching.ts';
import { aWorld, type World } from '../support/world.ts';

const seconds = (count: number) => count * 1_000;

const change = async (world: World, id: string, what: object) => {
  const { spec } = world.coordinator.cameras.get(id);
  await world.clock.until(world.coordinator.cameras.update(id, { ...spec, ...what }));
  await world.clock.advance(100);
};

describe('a camera that is changed', () => {
  it('while its device is away gets what is asked for now when that comes back with it', async () => {
    const world = await aWorld();
    const device = await joined(world, 10);
    const id = await create(world);
    await device.die();
    await world.clock.advance(seconds(20));
    await change(world, id, { targetFps: 2 });
    const back = device.again();
    for (const camera of device.cameras.values()) back.cameras.set(camera.cameraId, camera);
    await back.connect();
    await world.clock.until(back.hello());
    await world.clock.advance(seconds(1));
    expect(back.cameras.get(id)).toMatchObject({ targetFps: 2 });
  });

  it('to another source is not judged by the old one', async () => {
    const world = await aWorld();
    const device = await joined(world, 1);
    let seenFps = 1;
    device.tells = ({ cameras }) => ({
      cameras: Array.from(cameras.values(), ({ cameraId, decode }) => ({
        cameraId,
        decode,
        state: 'running',
        seenFps,
        fps: seenFps,
        frames: 9,
        sourceFps: 25,
        sourceWidth: 7_680,
        sourceHeight: 4_320,
      })),
    });
    const id = await create(world);
    await world.clock.advance(seconds(4));
    seenFps = 0;
    await change(world, id, { source: 'rtsp://10.0.0.10/other' });
    expect(device.cameras.get(id)).toMatchObject({ decode: 'full' });
  });

  it('while its device is too hot for it is given something all the same, once that is known', async () => {
    const world = await aWorld();
    let throttled = true;
    const hot = await joined(world, 10, { condition: () => ({ throttled }) });
    const id = await create(world);
    await world.clock.advance(seconds(60));
    await change(world, id, { targetFps: 2 });
    throttled = false;
    await world.clock.advance(seconds(120));
    expect(world.coordinator.cameras.get(id)).toMatchObject({ device: hot.id, grant: { fps: 2 } });
  });

  it('to ask for more than is left where it is gets what is left, and is counted there', async () => {
    const world = await aWorld();
    const device = await joined(world, 37, { capability: { cores: 8, taskSlots: 1 } });
    await create(world, { name: 'high', priority: 7, targetFps: 20 });
    const low = await create(world, { name: 'low', targetFps: 0.5 });
    await change(world, low, { targetFps: 13.75 });
    // 40 ms of a second each: 0.8 of it are taken, one tenth is left, and a fifth of what it asks for would be 0.11.
    expect(world.coordinator.cameras.get(low)).toMatchObject({ device: device.id, grant: { decode: 'keyframes' } });
    expect(device.cameras.get(low)).toMatchObject({ decode: 'keyframes' });
  });

  it('is not asked of its device any more when nothing is left there', async () => {
    const world = await aWorld();
    const device = await joined(world, 37, { capability: { cores: 8, taskSlots: 1 } });
    const highest = await create(world, { name: 'highest', priority: 9, targetFps: 10 });
    await create(world, { name: 'high', priority: 7, targetFps: 22.4 });
    await world.clock.until(world.coordinator.cameras.remove(highest));
    await world.clock.advance(seconds(100));
    const low = await create(world, { name: 'low', targetFps: 1 });
    await world.clock.advance(seconds(4));
    let asked = 0;
    device.admitCamera = ({ cameraId }) => {
      if (cameraId === low) asked += 1;
    };
    await change(world, low, { targetFps: 13.75 });
    expect(world.coordinator.cameras.get(low).device).toBeUndefined();
    expect({ asked, has: device.cameras.has(low) }).toEqual({ asked: 0, has: false });
  });
});
