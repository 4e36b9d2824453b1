import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCameraReport, type ScriptedDevice } from '../support/scripted-device.ts';
import { create, joined } from '../support/watching.ts';
import { aWorld } from '../support/world.ts';

const seconds = (count: number) => count * 1_000;

describe('a camera whose device is spared', () => {
  it('runs elsewhere before it is taken off a device that is drained', async () => {
    const world = await aWorld();
    const old = await joined(world, 10);
    const id = await create(world);
    const next = await joined(world, 50);
    await world.clock.until(world.coordinator.devices.update(old.id, { draining: true }));
    await world.clock.advance(100);
    expect(next.cameras.has(id)).toBe(true);
    expect(old.removedCameras).toEqual([]);
    await world.clock.advance(seconds(2));
    expect(old.removedCameras).toEqual([id]);
    expect(world.coordinator.cameras.get(id)).toMatchObject({
      device: next.id,
      moves: [{ from: old.id, to: next.id, reason: 'the device is being drained' }],
    });
  });

  it('is taken off the old one after ten seconds when the new one cannot open the source as long as that has it', async () => {
    const world = await aWorld();
    const old = await joined(world, 10);
    const id = await create(world);
    const next = await joined(world, 50);
    next.tells = () => ({ cameras: [{ cameraId: id, state: 'connecting' }] });
    await world.clock.until(world.coordinator.devices.update(old.id, { draining: true }));
    await world.clock.advance(seconds(8));
    expect(old.removedCameras).toEqual([]);
    await world.clock.advance(seconds(5));
    expect(new Set(old.removedCameras)).toEqual(new Set([id]));
  });

  it('comes back at once to a device that is drained no more, which is no move', async () => {
    const world = await aWorld();
    const device = await joined(world, 10);
    const id = await create(world);
    await world.clock.until(world.coordinator.devices.update(device.id, { draining: true }));
    await world.clock.advance(seconds(20));
    expect(world.coordinator.cameras.get(id).device).toBeUndefined();
    await world.clock.until(world.coordinator.devices.update(device.id, { draining: false }));
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(id)).toMatchObject({ device: device.id, moves: [] });
  });

  it('moves when it has been too hot for some time, and says so', async () => {
    const world = await aWorld();
    let temperatureC = 70;
    const hot = await joined(world, 10, { condition: () => ({ temperatureC }) });
    const id = await create(world);
    const cool = await joined(world, 50);
    await world.clock.advance(seconds(60));
    expect(world.coordinator.cameras.get(id).device).toBe(hot.id);
    temperatureC = 87;
    await world.clock.advance(seconds(8));
    expect(world.coordinator.cameras.get(id).device).toBe(hot.id);
    await world.clock.advance(seconds(14));
    expect(world.coordinator.cameras.get(id)).toMatchObject({
      device: cool.id,
      moves: [{ reason: 'pi: too hot to watch cameras: it is at 87 °C' }],
    });
    expect(hot.removedCameras).toEqual([id]);
  });

  it('stays on a hot device when no other can take it, and says why', async () => {
    const world = await aWorld();
    const hot = await joined(world, 10, { condition: () => ({ throttled: true }) });
    const id = await create(world);
    await world.clock.advance(seconds(60));
    expect(world.coordinator.cameras.get(id)).toMatchObject({
      device: hot.id,
      reason: expect.stringMatching(/slows itself down; stays all the same: no device can take it now/),
    });
    expect(hot.removedCameras).toEqual([]);
  });

  it('leaves a battery that would fall below its floor, waits when there is nobody else, and is not back at the next percent', async () => {
    const world = await aWorld();
    let batteryPct = 60;
    const battery = { powerSource: 'battery', hasBattery: true, batteryWh: 100, idleWatts: 2 };
    const phone = await joined(world, 10, { condition: () => ({ batteryPct, charging: false }), capability: battery });
    await world.clock.advance(seconds(3));
    const id = await create(world);
    await world.clock.advance(seconds(30));
    expect(phone.cameras.has(id)).toBe(true);
    batteryPct = 31;
    await world.clock.advance(seconds(4));
    expect(phone.cameras.has(id)).toBe(true);
    await world.clock.advance(seconds(8));
    expect(phone.cameras.has(id)).toBe(false);
    expect(world.coordinator.cameras.get(id)).toMatchObject({
      reason: 'no device can take it now: 1 has to spare its battery',
      service: { met: false, detail: expect.stringContaining('spare its battery') },
    });
    for (let n = 0; n < 30; n++) {
      batteryPct = 31 + (n % 4);
      await world.clock.advance(seconds(2));
    }
    expect(world.coordinator.cameras.get(id).device).toBeUndefined();
  });
});

describe('a camera whose device dies', () => {
  it('goes on elsewhere, and the gap is known', async () => {
    const world = await aWorld();
    const first = await joined(world, 10);
    const id = await create(world);
    const second = await joined(world, 50);
    const report = (from: ScriptedDevice, number: number) =>
      world.clock.until(
        from.messenger.request(
          world.identity.id,
          { cameraReport: aCameraReport(from.identity, id, number) },
          { timeoutMs: 5_000 },
        ),
      );
    await report(first, 1);
    const diedMs = world.clock.monotonicMs();
    await first.die();
    await world.clock.advance(seconds(15));
    expect(second.cameras.has(id)).toBe(true);
    await report(second, 1);
    const [move] = world.coordinator.cameras.get(id).moves ?? [];
    expect(move).toMatchObject({ from: first.id, to: second.id, reason: 'the device was silent for 10000 ms' });
    expect(move?.gapMs).toBeCloseTo(world.clock.monotonicMs() - diedMs, -2);
    await report(second, 2);
    expect(world.coordinator.cameras.get(id).moves).toEqual([move]);
    expect(world.disk.cameras.get(id)?.moves).toEqual([move]);
  });

  it('is one of many: they go a few at a time, the most important first, and all of them', async () => {
    const world = await aWorld({ hub: { route: () => [20] } });
    const first = await joined(world, 1);
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await create(world, { name: `camera ${n}`, targetFps: 1, priority: n % 10 }));
    expect(first.cameras.size).toBe(12);
    const second = await joined(world, 2);
    const arrived: string[] = [];
    let most = 0;
    let asked = 0;
    second.admitCamera = ({ name, cameraId }) => {
      arrived.push(name);
      asked += world.coordinator.cameras.get(cameraId).device === second.id ? 0 : 1;
      const bound = world.coordinator.cameras.list().filter(({ device }) => device === second.id).length;
      most = Math.max(most, bound - second.cameras.size);
    };
    await first.die();
    await world.clock.advance(seconds(20));
    expect(second.cameras.size).toBe(12);
    expect(asked).toBe(0);
    expect(arrived[0]).toBe('camera 9');
    expect(arrived.at(-1)).toMatch(/camera (0|10)/);
    expect(most).toBeLessThanOrEqual(5);
  });
});

describe('a camera that would be better off elsewhere', () => {
  // A joule a frame here, a tenth there: four watts more is worth a move, which weighs two.
  it('moves when that is seen again and again, a minute after it came, with words for it', async () => {
    const world = await aWorld();
    const dear = await joined(world, 10, { energyMj: 1_000 });
    const id = await create(world);
    const cheap = await joined(world, 10, { energyMj: 100 });
    await world.clock.advance(seconds(55));
    expect(world.coordinator.cameras.get(id).device).toBe(dear.id);
    await world.clock.advance(seconds(20));
    expect(world.coordinator.cameras.get(id)).toMatchObject({
      device: cheap.id,
      moves: [{ reason: 'pi is better for it: it costs 5.00 here, 2.50 there, the move included' }],
    });
  });

  it('stays when the other is hardly better', async () => {
    const world = await aWorld();
    const here = await joined(world, 10, { energyMj: 400 });
    const id = await create(world);
    await joined(world, 10, { energyMj: 100 });
    await world.clock.advance(seconds(600));
    expect(world.coordinator.cameras.get(id)).toMatchObject({ device: here.id, moves: [] });
  });

  it('stays when the other is better only for moments: the sun behind clouds', async () => {
    const world = await aWorld();
    const here = await joined(world, 10, { energyMj: 900 });
    const id = await create(world);
    const sunny = () => world.clock.monotonicMs() % seconds(12) < seconds(6);
    await joined(world, 10, {
      energyMj: 600,
      capability: { powerSource: 'battery', hasBattery: true, batteryWh: 100, idleWatts: 2 },
      condition: () => ({ batteryPct: 60, charging: sunny() }),
    });
    await world.clock.advance(seconds(600));
    expect(world.coordinator.cameras.get(id)).toMatchObject({ device: here.id, moves: [] });
  });

  it('is never one of many that move at the same look', async () => {
    const world = await aWorld();
    await joined(world, 2, { energyMj: 2_000 });
    for (let n = 0; n < 4; n++) await create(world, { name: `camera ${n}` });
    const cheap = await joined(world, 2, { energyMj: 100 });
    await world.clock.advance(seconds(58));
    const counts: number[] = [];
    for (let n = 0; n < 40; n++) {
      await world.clock.advance(seconds(2));
      counts.push(cheap.cameras.size);
    }
    expect(counts.at(-1)).toBe(4);
    expect(counts.map((count, n) => count - (counts[n - 1] ?? 0)).filter((more) => more > 1)).toEqual([]);
  });

  it('does not go to and fro between equals, however noisy their telemetry is', async () => {
    const world = await aWorld();
    const random = seededRandom(7);
    const noisy = () => ({
      temperatureC: 70 + random.next() * 16,
      throttled: random.next() < 0.1,
      batteryPct: 60 + Math.floor(random.next() * 10),
      charging: random.next() < 0.5,
      cpuLoad: random.next(),
    });
    const capability = { hasBattery: true, batteryWh: 100, idleWatts: 2 };
    for (let n = 0; n < 3; n++) await joined(world, 20, { condition: noisy, capability, energyMj: 200 });
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push(await create(world, { name: `camera ${n}` }));
    await world.clock.advance(seconds(3_600));
    const moves = ids.flatMap((id) => world.coordinator.cameras.get(id).moves ?? []);
    expect(moves).toEqual([]);
  });
});
