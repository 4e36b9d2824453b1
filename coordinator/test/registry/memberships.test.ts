import { newIdentity, openMembership, seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { type FleetDevice, Memberships } from '../../src/registry/index.ts';
import { aWorld } from '../support/world.ts';

const dayMs = 86_400_000;

describe('what a device is given to show to others', () => {
  it('comes with each welcome, is about it, and is good for a day', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { identity: coordinator } = world;
    const untilMs = () =>
      openMembership(device.welcome?.membership ?? new Uint8Array(), { coordinator, device: device.id });
    expect(untilMs() - world.clock.nowMs()).toBeGreaterThan(dayMs - 10_000);
    expect(untilMs() - world.clock.nowMs()).toBeLessThanOrEqual(dayMs);
    const before = untilMs();
    await world.clock.advance(10_000);
    await world.clock.until(device.hello());
    expect(untilMs()).toBeGreaterThan(before);
  });

  it('tells it who was revoked', async () => {
    const world = await aWorld();
    const [device, other] = [await world.joined(), await world.joined()];
    const revoked = async () => {
      await world.clock.until(device.hello());
      return device.welcome?.revoked;
    };
    expect(await revoked()).toEqual([]);
    await world.clock.until(world.coordinator.devices.revoke(other.id));
    await world.clock.advance(2_000);
    expect(await revoked()).toEqual([other.id]);
  });

  it('tells it of nobody who was last heard so long ago that it has nothing to show any more, and of few in all', () => {
    const nowMs = 10 * dayMs;
    const putOut = (id: string, lastSeenMs?: number) => ({
      id,
      record: { revoked: true } as FleetDevice['record'],
      lastSeenMs,
    });
    const toldOf = (devices: readonly ReturnType<typeof putOut>[]) => {
      const clock = new VirtualClock({ startMs: nowMs });
      const identity = newIdentity('coordinator', seededRandom(1));
      return new Memberships({ identity, clock, registry: { all: () => devices } }).newsFor('dev_a').revoked;
    };
    expect(
      toldOf([putOut('dev_old', nowMs - dayMs - 1), putOut('dev_new', nowMs - dayMs), putOut('dev_unheard')]),
    ).toEqual(['dev_new', 'dev_unheard']);
    expect(toldOf(Array.from({ length: 300 }, (_, i) => putOut(`dev_${i}`)))).toHaveLength(256);
  });
});
