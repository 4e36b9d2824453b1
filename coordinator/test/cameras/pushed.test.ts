import { delay, utf8 } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { CameraSpec } from '../../src/domain/index.ts';
import { never } from '../store/store.conformance.ts';
import { aWorld } from '../support/world.ts';

const aSpec = (change: Partial<CameraSpec> = {}): CameraSpec => ({
  ...{ name: 'esp32', source: 'push:', pipeline: 'detect', model: 'tiny-detector' },
  ...{ targetFps: 5, parameters: {}, loop: false, labels: {}, ...change },
});

/** As a JPEG begins, and then a word. */
const picture = (word: string) => Uint8Array.of(0xff, 0xd8, 0xff, ...utf8(word));

async function aPushedCamera(spec: Partial<CameraSpec> = {}) {
  const world = await aWorld();
  const device = await world.joined();
  const { cameras } = world.coordinator;
  const { id } = await world.clock.until(cameras.create(aSpec(spec)));
  await world.clock.advance(100);
  return { world, clock: world.clock, device, cameras, id, push: (word: string) => cameras.push(id, picture(word)) };
}

describe('pictures that a camera sends by itself', () => {
  it('go to the device that watches it', async () => {
    const { push, device, clock, cameras, id } = await aPushedCamera();
    expect(device.cameras.get(id)).toMatchObject({ source: 'push:' });
    expect(push('one')).toBe('taken');
    await clock.advance(200);
    expect(push('two')).toBe('taken');
    await clock.advance(200);
    expect(device.pictures).toEqual(['one', 'two']);
    expect(cameras.get(id).pushed).toEqual({ taken: 2, dropped: 0 });
  });

  it('give way to the newest one while the device is busy with another, and are counted', async () => {
    const { push, device, clock, cameras, id } = await aPushedCamera();
    device.takePicture = () => delay(clock, 'a slow device', 1_000, never);
    const outcomes: string[] = [];
    for (const word of ['1', '2', '3', '4', '5']) {
      outcomes.push(push(word));
      await clock.advance(200);
    }
    expect(outcomes).toEqual(['taken', 'taken', 'replaced', 'replaced', 'replaced']);
    await clock.advance(3_000);
    expect(device.pictures).toEqual(['1', '5']);
    expect(cameras.get(id).pushed).toEqual({ taken: 2, dropped: 3 });
  });

  it('are handed on at the rate that is wanted, and it is the newest one each time', async () => {
    const { push, device, clock, cameras, id } = await aPushedCamera({ targetFps: 2 });
    for (let i = 0; i < 10; i++) {
      push(String(i));
      await clock.advance(100);
    }
    await clock.advance(1_000);
    expect(device.pictures).toEqual(['0', '3', '7', '9']);
    expect(cameras.get(id).pushed).toEqual({ taken: 4, dropped: 6 });
  });

  it('follow the camera when it moves to another device', async () => {
    const { push, device, clock, world, cameras, id } = await aPushedCamera();
    push('one');
    await clock.advance(200);
    const other = await world.joined();
    await device.die();
    await clock.advance(60_000);
    expect(cameras.get(id).device).toBe(other.id);
    push('two');
    await clock.advance(200);
    expect([device.pictures, other.pictures]).toEqual([['one'], ['two']]);
  });

  it('are not kept for a device that does not answer', async () => {
    const { push, device, clock, cameras, id } = await aPushedCamera();
    device.takePicture = () => new Promise(() => {});
    push('one');
    await clock.advance(6_000);
    device.takePicture = () => {};
    push('two');
    await clock.advance(200);
    expect(device.pictures.at(-1)).toBe('two');
    expect(cameras.get(id).pushed).toEqual({ taken: 1, dropped: 1 });
  });

  it('are refused, with what to do, when nobody can take them', async () => {
    const { cameras, id, clock } = await aPushedCamera();
    const read = await clock.until(cameras.create(aSpec({ source: 'rtsp://10.0.0.7/' })));
    expect(() => cameras.push('cam_0', picture('x'))).toThrow('there is no camera cam_0');
    expect(() => cameras.push(read.id, picture('x'))).toThrow('set that to "push:"');
    expect(() => cameras.push(id, utf8('<html>'))).toThrow('this is not a picture: send JPEG');
    expect(() => cameras.push(id, new Uint8Array(9 << 20))).toThrow('the most is');
    const world = await aWorld();
    const lonely = await world.clock.until(world.coordinator.cameras.create(aSpec()));
    expect(() => world.coordinator.cameras.push(lonely.id, picture('x'))).toThrow('no device has joined');
  });

  it('leave nothing behind when the camera is removed', async () => {
    const { push, cameras, id, clock } = await aPushedCamera();
    push('one');
    await clock.until(cameras.remove(id));
    await clock.advance(10_000);
    expect(() => push('two')).toThrow('there is no camera');
  });
});

describe('the key of a camera', () => {
  it('goes with its camera', async () => {
    const { world, cameras, id, clock } = await aPushedCamera();
    const { apiKeys } = world.coordinator;
    const { key } = await clock.until(apiKeys.create('esp32', id));
    const other = await clock.until(apiKeys.create('shell'));
    expect([apiKeys.mayPush(key, id), apiKeys.mayPush(key, 'cam_0'), apiKeys.mayPush(other.key, id)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(apiKeys.verify(key)).toBeUndefined();
    await clock.until(cameras.remove(id));
    expect(apiKeys.mayPush(key, id)).toBe(false);
    expect(world.disk.apiKeys.size).toBe(1);
    expect(apiKeys.list().map(({ name }) => name)).toEqual(['shell']);
  });
});
