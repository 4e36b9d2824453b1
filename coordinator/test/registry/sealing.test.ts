import { decodeJoinToken } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aSpec } from '../support/builders.ts';
import { aWorld } from '../support/world.ts';

describe('a token', () => {
  it.each([
    ['required', true],
    ['offered', true],
    ['off', false],
  ] as const)('of a coordinator that seals: %s, tells the device to: %s', async (seal, told) => {
    const world = await aWorld({ config: { seal } });
    expect(decodeJoinToken(await world.token()).seal).toBe(told);
  });
});

describe('a coordinator that requires sealing', () => {
  it('has devices that seal join and work, and shows that they do', async () => {
    const world = await aWorld({ config: { seal: 'required' } });
    const device = await world.joined({ seals: true });
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ sealed: true, presence: 'online' });
  });

  it('lets no device join that does not, and says what to do', async () => {
    const world = await aWorld({ config: { seal: 'required' } });
    const device = world.aDevice();
    await device.connect();
    await expect(world.clock.until(device.join(await world.token()))).rejects.toMatchObject({
      code: 'seal.required',
      message: expect.stringContaining('join with a token'),
    });
    expect(world.coordinator.devices.list()).toEqual([]);
    // The token is not spent on it.
    expect(world.coordinator.tokens.list()).toMatchObject([{ usesLeft: 100 }]);
  });

  it('tells a device so that joined before it was required', async () => {
    const world = await aWorld();
    const device = await world.joined();
    world.config = { seal: 'required' };
    await world.restart();
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'seal.required' });
    expect(world.coordinator.devices.get(device.id).presence).not.toBe('online');
  });
});

describe.each(['offered', 'off'] as const)('a coordinator that seals: %s', (seal) => {
  it('speaks with each device as that does', async () => {
    const world = await aWorld({ config: { seal } });
    const [sealed, open] = [await world.joined({ seals: true }), await world.joined()];
    expect(world.coordinator.devices.get(sealed.id).sealed).toBe(true);
    expect(world.coordinator.devices.get(open.id).sealed ?? false).toBe(false);
    const tasks = await world.clock.until(
      Promise.all(Array.from({ length: 8 }, () => world.coordinator.tasks.submit(aSpec()))),
    );
    for (const { id } of tasks) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
    expect([sealed.assignments.length > 0, open.assignments.length > 0]).toEqual([true, true]);
  });

  it('knows after a crash which device it must not speak openly to', async () => {
    const world = await aWorld({ config: { seal } });
    const device = await world.joined({ seals: true });
    expect(world.disk.devices.get(device.id)?.sealed).toBe(true);
    await world.restartAfterCrash();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    device.telemetry();
    await world.clock.until(device.hello());
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
    expect(device.messenger.refused.get('seal.required')).toBeUndefined();
  });

  it('follows a device that has joined openly and seals now, and knows that durably before it answers', async () => {
    const world = await aWorld({ config: { seal }, storeWriteMs: 5 });
    const before = await world.joined();
    await before.link.stop();
    const { identity, sequences } = before;
    const device = world.aDevice({ identity, sequences, seals: true });
    await device.connect();
    device.pin(await world.token());
    await world.clock.until(device.hello());
    expect(world.disk.devices.get(device.id)?.sealed).toBe(true);
    await device.link.stop();
    const again = world.aDevice({ identity, sequences });
    await again.connect();
    again.pin(await world.token());
    await world.clock.until(again.hello());
    expect(world.disk.devices.get(device.id)?.sealed).toBe(false);
  });
});
