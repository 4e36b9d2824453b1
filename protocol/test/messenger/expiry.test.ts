import { type Clock, MemoryHub, Messenger, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { never } from './builders.ts';

const yearMs = 365 * 24 * 3_600_000;
const toleranceMs = 120_000;
const command = { timeoutMs: 10_000 };

/** The same moments, shown by a clock on the wall that is wrong. */
function wrong(clock: Clock, wall: { offMs: number }): Clock {
  return {
    nowMs: () => clock.nowMs() + wall.offMs,
    monotonicMs: () => clock.monotonicMs(),
    after: (...timer) => clock.after(...timer),
    soon: (...call) => clock.soon(...call),
  };
}

/** A coordinator that commands a device, and frames that are held for as long as the test says. */
async function aCommander({ deviceOffMs = 0 } = {}) {
  const clock = new VirtualClock();
  const held = { downMs: 1, upMs: 1 };
  const random = seededRandom(5);
  const identities = { device: newIdentity('device', random), coordinator: newIdentity('coordinator', random) };
  const hub = new MemoryHub(clock, {
    route: (_, to) => [to === identities.device.id ? held.downMs : held.upMs],
  });
  const keyOf = (id: string) => Object.values(identities).find((identity) => identity.id === id);
  const walls = { device: { offMs: deviceOffMs }, coordinator: { offMs: 0 } };
  let expired = 0;
  const make = async (role: 'device' | 'coordinator') => {
    const link = hub.link(identities[role].id);
    const messenger = new Messenger({
      identity: identities[role],
      link,
      peers: { keyOf },
      sequences: new MemorySequenceStore(),
      clock: wrong(clock, walls[role]),
      logger: silentLogger,
      expiry: role === 'device' ? { role: 'answers', toleranceMs, onExpired: () => expired++ } : { role: 'asks' },
    });
    await link.start(never);
    await messenger.start(never);
    messenger.handle(() => undefined);
    return messenger;
  };
  const device = await make('device');
  const coordinator = await make('coordinator');
  let begun = 0;
  device.handle(() => {
    begun += 1;
    return undefined;
  });
  const hello = () => clock.until(device.request(coordinator.self, { hello: {} }, command));
  return {
    ...{ clock, held, walls, device, coordinator, hello },
    /** Asked once, by a coordinator that is not there any more when the frame arrives. */
    async commandHeld(forMs: number) {
      held.downMs = forMs;
      const asked = coordinator.request(device.self, { taskAssignment: {} }, { timeoutMs: 900 });
      await expect(clock.until(asked)).rejects.toMatchObject({ code: 'timeout' });
      held.downMs = 1;
      await clock.advance(forMs + 10);
    },
    command: () => clock.until(coordinator.request(device.self, { taskAssignment: {} }, command)),
    get begun() {
      return begun;
    },
    get expired() {
      return expired;
    },
  };
}

describe.each([
  ['right', 0],
  ['ten years behind', -10 * yearMs],
  ['ten years ahead', 10 * yearMs],
])('a command to a device whose clock is %s', (_, deviceOffMs) => {
  it('is begun when it comes in time', async () => {
    const fleet = await aCommander({ deviceOffMs });
    await fleet.hello();
    await fleet.command();
    expect(fleet).toMatchObject({ begun: 1, expired: 0 });
  });

  it('is begun when it is late by what clocks may be wrong by', async () => {
    const fleet = await aCommander({ deviceOffMs });
    await fleet.hello();
    await fleet.commandHeld(toleranceMs);
    expect(fleet).toMatchObject({ begun: 1, expired: 0 });
  });

  it('is not begun when a broker held it for longer', async () => {
    const fleet = await aCommander({ deviceOffMs });
    await fleet.hello();
    await fleet.commandHeld(toleranceMs + 2_000);
    expect(fleet).toMatchObject({ begun: 0, expired: 1 });
    expect(fleet.device.refused.get('message.expired')).toBe(1);
  });

  it('is begun only once the device knows what time it is', async () => {
    const fleet = await aCommander({ deviceOffMs });
    const asked = fleet.coordinator.request(fleet.device.self, { taskAssignment: {} }, command);
    await fleet.clock.advance(500);
    expect(fleet).toMatchObject({ begun: 0, expired: 1 });
    await fleet.hello();
    await fleet.clock.until(asked);
    expect(fleet.begun).toBe(1);
  });
});

describe('what time it is with the coordinator', () => {
  it('is not learned from what nobody has asked for: that may have been held', async () => {
    const fleet = await aCommander();
    fleet.held.downMs = 600_000;
    fleet.coordinator.send(fleet.device.self, { payload: { modelHint: {} } });
    await fleet.clock.advance(1);
    fleet.held.downMs = 600_001;
    await fleet.commandHeld(600_001);
    expect(fleet.expired).toBe(1);
  });

  it('is known to the least when an answer was held, and to the full with the next', async () => {
    const fleet = await aCommander();
    fleet.held.downMs = 9_000;
    await fleet.hello();
    fleet.held.downMs = 1;
    await fleet.hello();
    await fleet.commandHeld(toleranceMs + 2_000);
    expect(fleet).toMatchObject({ begun: 0, expired: 1 });
  });

  it.each([-10 * yearMs, 10 * yearMs])('is learned anew when its clock is set by %d ms', async (byMs) => {
    const fleet = await aCommander();
    await fleet.hello();
    fleet.walls.coordinator.offMs = byMs;
    await fleet.hello();
    await fleet.command();
    await fleet.commandHeld(toleranceMs + 2_000);
    expect(fleet).toMatchObject({ begun: 1, expired: 1 });
  });
});
