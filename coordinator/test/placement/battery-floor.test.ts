import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactly, type Plan, type Power, place, strategies, type Work } from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, type DeviceChange, onBattery, someWork } from '../support/fleets.ts';

// 36 kJ are full: 360 J are a percent. The floor is 30 %, for critical work 15 %.
function planOn(power: Power, device: DeviceChange = {}, work: Partial<Work> = {}): Plan {
  const fleet = aFleet([aDevice('d', { runMs: 100, energyJ: 1, power, ...device })]);
  return place(fleet, someWork(work), { ...aPolicy, nowMs: 0, wallMs: 0, random: seededRandom(1) });
}
const takes = (...asked: Parameters<typeof planOn>) => planOn(...asked).kind === 'placed';
const idle = { idleWatts: 0 };

describe('the floor of a battery', () => {
  it('is not gone below by the work itself', () => {
    expect(takes(onBattery(31, idle), { energyJ: 359 })).toBe(true);
    expect(planOn(onBattery(31, idle), { energyJ: 400 })).toMatchObject({
      kind: 'unplaced',
      refused: [{ device: 'd', reason: 'battery', detail: 'battery would be at 29.9 % when it is done, floor 30 %' }],
    });
  });

  it('is not gone below by the work together with all that was given to the device before', () => {
    expect(takes(onBattery(31, idle), { committedJ: 300, energyJ: 50 })).toBe(true);
    expect(takes(onBattery(31, idle), { committedJ: 300, energyJ: 70 })).toBe(false);
  });

  it('counts what the device and its cameras draw until the work is done', () => {
    const waits = { runMs: 100, slots: 1, running: 1, backlog: exactly(99_900) };
    // 100 s at 3 W are 300 J.
    expect(takes(onBattery(31, { idleWatts: 3 }), { ...waits, energyJ: 50 })).toBe(true);
    expect(takes(onBattery(31, { idleWatts: 3 }), { ...waits, energyJ: 70 })).toBe(false);
    expect(takes(onBattery(31, { idleWatts: 3 }), { ...waits, energyJ: 50, cameraWatts: 1 })).toBe(false);
  });

  it('counts what a charging window brings until then', () => {
    const charging = [{ fromMinute: 0, toMinute: 10, watts: 5 }];
    const waits = { running: 1, backlog: exactly(100_000), energyJ: 500 };
    expect(takes(onBattery(31, idle), waits)).toBe(false);
    expect(takes(onBattery(31, { ...idle, policy: { charging } }), waits)).toBe(true);
  });

  it('is lower for critical work, and never below the critical one', () => {
    expect(takes(onBattery(25))).toBe(false);
    expect(takes(onBattery(25), {}, { critical: true })).toBe(true);
    expect(takes(onBattery(15), {}, { critical: true })).toBe(false);
    expect(takes(onBattery(16, idle), { energyJ: 400 }, { critical: true })).toBe(false);
  });

  it('is the owner’s where there is one', () => {
    expect(takes(onBattery(45, { policy: { floorPct: 50 } }))).toBe(false);
    expect(takes(onBattery(15, { policy: { floorPct: 10 } }))).toBe(true);
    // Critical work goes down to whichever floor is lower.
    expect(takes(onBattery(12, { policy: { floorPct: 10 } }), {}, { critical: true })).toBe(true);
    expect(takes(onBattery(40, { policy: { floorPct: 50 } }), {}, { critical: true })).toBe(true);
  });

  it('does not matter where the owner wants no work on the battery at all', () => {
    expect(planOn(onBattery(99, { policy: { mainsOnly: true } }), {}, { critical: true })).toMatchObject({
      refused: [{ reason: 'battery', detail: expect.stringMatching(/mains only/) }],
    });
    expect(takes({ ...onBattery(99), onBattery: false, policy: { mainsOnly: true } })).toBe(true);
  });

  it('is kept by a guess of the size where that is not known, and asks nothing of one that does not say its level', () => {
    expect(takes(onBattery(31, { ...idle, capacityJ: undefined }), { energyJ: 399 })).toBe(true);
    expect(takes(onBattery(31, { ...idle, capacityJ: undefined }), { energyJ: 401 })).toBe(false);
    expect(takes({ ...onBattery(50), levelPct: undefined }, { energyJ: 1e6 })).toBe(true);
  });

  it('leaves the choice that draws less when another would draw too much', () => {
    const plan = planOn(onBattery(31, idle), {
      variants: { 'm/float32': { run: exactly(50), energyJ: 900 } },
      energyJ: 100,
    });
    expect(plan).toMatchObject({ placement: { chosen: { variant: 'int8' }, refused: [] } });
  });

  it('holds for each strategy, whatever the fleet', () => {
    const device = fc.record({
      levelPct: fc.double({ min: 0, max: 100, noNaN: true }),
      energyJ: fc.integer({ min: 1, max: 30_000 }),
      committedJ: fc.integer({ min: 0, max: 10_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(device, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...strategies),
        (drawn, strategy) => {
          const devices = drawn.map(({ levelPct, energyJ, committedJ }, n) =>
            aDevice(`d${n}`, { runMs: 10 + n, energyJ, committedJ, power: onBattery(levelPct, idle) }),
          );
          const context = { ...aPolicy, strategy, nowMs: 0, wallMs: 0, random: seededRandom(1) };
          const plan = place(aFleet(devices), someWork(), context);
          const levels = drawn.map(({ levelPct, energyJ, committedJ }) => levelPct - (energyJ + committedJ) / 360);
          if (plan.kind === 'unplaced') expect(Math.max(...levels)).toBeLessThan(30 + 1e-9);
          else expect(levels[Number(plan.placement.chosen.device.slice(1))]).toBeGreaterThan(30 - 1e-9);
        },
      ),
    );
  });
});
