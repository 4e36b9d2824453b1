import { describe, expect, it } from 'vitest';
import { aCapability, aSpec } from '../support/builders.ts';
import { aWorld } from '../support/world.ts';

describe('what the owner of a device allows of its battery', () => {
  it('holds from then on, after a crash too', async () => {
    const world = await aWorld();
    const device = await world.joined({ capability: aCapability({ hasBattery: true, powerSource: 'battery' }) });
    const end = async () => {
      const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 3_000 })));
      return world.ended(task.id);
    };
    const refused = { state: 'expired', reason: expect.stringContaining('battery') };
    expect(await end()).toMatchObject({ state: 'succeeded' });
    await world.clock.until(world.coordinator.devices.update(device.id, { power: { mainsOnly: true } }));
    expect(await end()).toMatchObject(refused);
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(device.id).power).toEqual({ mainsOnly: true });
    await world.clock.until(device.hello());
    expect(await end()).toMatchObject(refused);
  });

  it('is kept by a battery that was away once it has said how full it is, and not before', async () => {
    const world = await aWorld();
    const device = await world.joined({ capability: aCapability({ hasBattery: true, powerSource: 'battery' }) });
    const end = async (deadlineMs: number) => {
      const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs })));
      return world.ended(task.id);
    };
    device.telemetry({ telemetry: { batteryPct: 80, charging: true } });
    expect(await end(3_000)).toMatchObject({ state: 'succeeded' });
    await world.restartAfterCrash();
    await world.clock.until(device.hello());
    expect(await end(500)).toMatchObject({ state: 'expired', reason: expect.stringContaining('battery') });
    device.telemetry({ telemetry: { batteryPct: 80, charging: false } });
    expect(await end(500)).toMatchObject({ state: 'succeeded' });
  });
});
