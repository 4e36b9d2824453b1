import { describe, expect, it } from 'vitest';
import type { ScriptedDevice } from '../support/scripted-device.ts';
import { create, joined } from '../support/watching.ts';
import { aWorld, type World } from '../support/world.ts';

const seconds = (count: number) => count * 1_000;
/** One core: 0.4 of it decode, that is six cameras of 720p, 0.0576 each, and something. */
const small = { capability: { cores: 1, taskSlots: 1 } };

async function creates(world: World, count: number, change: object = {}) {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push(await create(world, { name: `camera ${n}`, ...change }));
    await world.clock.advance(10);
  }
  return ids;
}
/** As the device was told. */
const told = (device: ScriptedDevice, ids: readonly string[]) => ids.map((id) => device.cameras.get(id)?.decode);
const rates = (device: ScriptedDevice, ids: readonly string[]) => ids.map((id) => device.cameras.get(id)?.targetFps);

describe('cameras that share the decoder of their device', () => {
  it('are decoded in full while there is room, then the newest less', async () => {
    const world = await aWorld();
    const device = await joined(world, 1, small);
    const ids = await creates(world, 7);
    expect(told(device, ids)).toEqual(['full', 'full', 'full', 'full', 'full', 'full', 'skip']);
    expect(world.coordinator.cameras.get(ids[6] ?? '')).toMatchObject({
      grant: { decode: 'skip', fps: 5 },
      reason: expect.stringContaining('; decoded at skip'),
    });
  });

  it('get more again when that is seen for a while, and not for the last percents', async () => {
    const world = await aWorld();
    const device = await joined(world, 1, small);
    const ids = await creates(world, 7);
    const last = ids.slice(6);
    const { revision } = world.coordinator.cameras.get(last[0] ?? '');
    await world.clock.until(world.coordinator.cameras.remove(ids[0] ?? ''));
    await world.clock.advance(seconds(300));
    expect(told(device, last)).toEqual(['skip']);
    await world.clock.until(world.coordinator.cameras.remove(ids[1] ?? ''));
    await world.clock.advance(seconds(4));
    expect(told(device, last)).toEqual(['skip']);
    await world.clock.advance(seconds(20));
    expect(told(device, last)).toEqual(['full']);
    await world.clock.advance(seconds(300));
    expect(world.coordinator.cameras.get(last[0] ?? '').revision).toBe(revision + 1);
  });

  it('are decoded less when the device turns out to be slower at it than was assumed, and more cameras go elsewhere', async () => {
    const world = await aWorld();
    const slow = await joined(world, 1, { ...small, decodeCores: () => 0.15 });
    const ids = await creates(world, 2);
    await world.clock.advance(seconds(2));
    // 0.15 where 0.0576 was assumed: two fit into 0.4, a third does only in part.
    const [third = ''] = await creates(world, 1, { device: slow.id });
    expect(told(slow, [...ids, third])).toEqual(['full', 'full', 'skip']);
    const other = await joined(world, 50);
    const next = await create(world, { name: 'next' });
    expect(world.coordinator.cameras.get(next).device).toBe(other.id);
  });

  it('are not taken and sent away again without end by a device that says it is too slow only while it has them', async () => {
    const world = await aWorld();
    const heavy = { id: '' };
    const device = await joined(world, 1, { ...small, decodeCores: (id) => (id === heavy.id ? 9 : 0.01) });
    const [, , last = ''] = await creates(world, 3);
    await world.clock.advance(seconds(4));
    // It does not hear any more what it is told, and goes on with all three.
    device.cameras.delete = () => true;
    device.cameras.set = () => device.cameras;
    heavy.id = last;
    await world.clock.advance(seconds(30));
    const { spec, revision } = world.coordinator.cameras.get(last);
    await world.clock.until(world.coordinator.cameras.update(last, { ...spec, targetFps: 4 }));
    await world.clock.advance(seconds(60));
    expect(world.coordinator.cameras.get(last).revision).toBeLessThan(revision + 10);
  });

  it('wait with the figures when the decoder is full of others that matter as much', async () => {
    const world = await aWorld();
    await joined(world, 0.1, { capability: { cores: 1, taskSlots: 8 } });
    const ids = await creates(world, 42, { targetFps: 2 });
    const waiting = ids.map((id) => world.coordinator.cameras.get(id)).filter(({ device }) => device === undefined);
    expect(waiting.length).toBeGreaterThan(0);
    for (const { refused } of waiting)
      expect(refused).toMatchObject([
        { reason: 'decode-budget', detail: expect.stringMatching(/keep 0\.\d\d of the 0\.40 cores busy/) },
      ]);
  });

  it('are looked at key frames only when those come often enough, and are told so by whoever looked', async () => {
    const world = await aWorld();
    const device = await joined(world, 1, { ...small, keyFps: 2 });
    const ids = await creates(world, 7);
    // Nothing is known yet of what key frames give: the last ones would get only half a frame.
    const [low = ''] = await creates(world, 1, { priority: 1 });
    expect(told(device, [low])).toEqual(['keyframes']);
    await world.clock.advance(seconds(4));
    expect(world.coordinator.cameras.get(low)).toMatchObject({
      service: { met: false, detail: '2.0 of 5 frames a second: its device has room to decode it at keyframes only' },
    });
    expect(told(device, ids)).toContain('full');
  });

  it('move to where they get all that they ask for, and not to where they would get as little', async () => {
    const world = await aWorld();
    const first = await joined(world, 1, { ...small, energyMj: 2 });
    const ids = await creates(world, 7);
    const [last = ''] = ids.slice(-1);
    const second = await joined(world, 1, small);
    // Six on the second leave room to skip only, as on the first; it is a little cheaper there.
    const others = await creates(world, 6, { device: second.id });
    await world.clock.advance(seconds(200));
    expect(told(first, [last])).toEqual(['skip']);
    await world.clock.until(world.coordinator.cameras.remove(others[0] ?? ''));
    await world.clock.advance(seconds(30));
    expect(told(second, [last])).toEqual(['full']);
    expect(world.coordinator.cameras.get(last).moves).toMatchObject([{ reason: 'on pi it gets all that it asks for' }]);
  });

  it('use the substream when there is no room for the source', async () => {
    const world = await aWorld();
    const device = await joined(world, 1, small);
    // Skipping gives twelve frames a second at most, key frames fewer.
    const ids = await creates(world, 7, { targetFps: 15, substream: 'rtsp://10.0.0.9/small' });
    const [newest = ''] = ids.slice(-1);
    expect(device.cameras.get(newest)).toMatchObject({ decode: 'substream', substream: 'rtsp://10.0.0.9/small' });
  });
});

describe('a camera that matters more', () => {
  it('takes decoding from those that matter less, and they get it back when it is gone', async () => {
    const world = await aWorld();
    const device = await joined(world, 1, small);
    const low = await creates(world, 2, { priority: 1 });
    const high = await creates(world, 6, { priority: 8 });
    expect(told(device, high)).toEqual(Array(6).fill('full'));
    expect(told(device, low)).toEqual(['skip', 'keyframes']);
    for (const id of high.slice(1)) await world.clock.until(world.coordinator.cameras.remove(id));
    await world.clock.advance(seconds(120));
    expect(told(device, low)).toEqual(['full', 'full']);
  });

  it('is never refused while one that matters less runs where it could: that one gives frames, then moves, then waits', async () => {
    const world = await aWorld();
    // A tenth of the device for each frame a second.
    const device = await joined(world, 97, { capability: { taskSlots: 1 } });
    const low = await create(world, { name: 'low', priority: 0 });
    const first = await create(world, { name: 'first', priority: 9 });
    expect(rates(device, [low, first])).toEqual([3.75, 5]);
    expect(world.coordinator.cameras.get(low).grant).toMatchObject({ fps: 3.75 });
    const second = await create(world, { name: 'second', priority: 9 });
    await world.clock.advance(seconds(3));
    expect(rates(device, [first, second])).toEqual([5, 3.75]);
    expect(world.coordinator.cameras.get(low)).toMatchObject({ formerDevices: [device.id] });
    expect(device.cameras.has(low)).toBe(false);
    const other = await joined(world, 97, { capability: { taskSlots: 1 } });
    await world.clock.advance(seconds(3));
    expect(rates(other, [low])).toEqual([5]);
    expect(world.coordinator.cameras.get(low).moves).toMatchObject([
      { from: device.id, to: other.id, reason: 'others that matter more need its device' },
    ]);
  });

  it('does not disturb anybody where there is room elsewhere', async () => {
    const world = await aWorld();
    const quick = await joined(world, 97, { capability: { taskSlots: 1 } });
    const low = await create(world, { name: 'low', priority: 0 });
    const other = await joined(world, 110, { capability: { taskSlots: 1 } });
    const high = await create(world, { name: 'high', priority: 9 });
    expect(rates(quick, [low])).toEqual([5]);
    expect(rates(other, [high])).toEqual([5]);
  });

  it('gets its room when it begins to matter more', async () => {
    const world = await aWorld();
    const device = await joined(world, 97, { capability: { taskSlots: 1 } });
    const one = await create(world, { name: 'one' });
    const two = await create(world, { name: 'two' });
    expect(rates(device, [one, two])).toEqual([5, 3.75]);
    const { spec } = world.coordinator.cameras.get(two);
    await world.clock.until(world.coordinator.cameras.update(two, { ...spec, priority: 9 }));
    await world.clock.advance(100);
    expect(rates(device, [one, two])).toEqual([3.75, 5]);
  });
});
