import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { energyPrice, projectedLevelPct } from '../../src/placement/power.ts';
import { onBattery, onMains } from '../support/fleets.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

describe('the price of a joule', () => {
  it('is one on the mains, and less while a battery is charged', () => {
    expect(energyPrice(onMains, 30, 0.5)).toBe(1);
    expect(energyPrice({ ...onMains, levelPct: 40 }, 30, 0.5)).toBe(0.5);
  });

  it('rises as a battery nears its floor, up to a limit', () => {
    const prices = [100, 65, 44, 31, 30, 10].map((levelPct) => energyPrice(onBattery(levelPct), 30, 0.5));
    expect(prices).toEqual([1, 2, 5, 20, 20, 20]);
  });

  it('of a battery that does not say its level is high', () => {
    expect(energyPrice({ ...onBattery(50), levelPct: undefined }, 30, 0.5)).toBe(10);
  });

  it('never falls when the level does', () => {
    const level = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(level, level, fc.integer({ min: 0, max: 100 }), (a, b, floorPct) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(energyPrice(onBattery(low), floorPct, 0.5)).toBeGreaterThanOrEqual(
          energyPrice(onBattery(high), floorPct, 0.5),
        );
      }),
    );
  });
});

describe('the level of a battery to come', () => {
  it('falls by what the work draws and what the device draws anyway', () => {
    // 36 kJ: 360 J are a percent. 3 W for 60 s, and 180 J of work.
    expect(projectedLevelPct(onBattery(50), 180, 60_000, 0)).toBeCloseTo(49, 6);
  });

  it('is not known where nothing is known of the level, and reckons with a phone where nothing is known of the size', () => {
    expect(projectedLevelPct(onMains, 100, 1_000, 0)).toBeUndefined();
    expect(projectedLevelPct(onBattery(50, { capacityJ: undefined, idleWatts: 0 }), 400, 0, 0)).toBeCloseTo(49, 6);
  });

  it('never rises above full', () => {
    const charging = [{ fromMinute: 0, toMinute: 1_439, watts: 1_000 }];
    expect(projectedLevelPct(onBattery(99, { policy: { charging } }), 0, hourMs, 0)).toBe(100);
  });

  const night = [{ fromMinute: 22 * 60, toMinute: 6 * 60, watts: 10 }];
  // 10 W for an hour are 36 kJ of 360 kJ: ten percent.
  const battery = (charging = night) => onBattery(50, { capacityJ: 360_000, idleWatts: 0, policy: { charging } });
  it.each([
    ['before midnight', 23, 1, 60],
    ['over midnight', 23, 2, 70],
    ['after midnight, in the window that began the day before', 5, 1, 60],
    ['until the window ends', 5, 3, 60],
    ['from when the window begins', 21, 2, 60],
    ['while it is closed', 12, 4, 50],
    ['over two nights', 22, 24, 100],
  ])('rises by a charging window %s', (_, fromHour, hours, levelPct) => {
    const dayMs = 24 * hourMs;
    const nowMs = 100 * dayMs + fromHour * hourMs;
    expect(projectedLevelPct(battery(), 0, hours * hourMs, nowMs)).toBeCloseTo(levelPct, 6);
  });

  it('adds windows up that are open at the same time', () => {
    const both = [...night, { fromMinute: 0, toMinute: 60, watts: 20 }];
    expect(projectedLevelPct(battery(both), 0, hourMs, 0)).toBeCloseTo(80, 6);
  });

  it('is the same in one step as minute by minute', () => {
    const minute = fc.integer({ min: 0, max: 1_440 });
    fc.assert(
      fc.property(minute, minute, minute, fc.integer({ min: 1, max: 600 }), (fromMinute, toMinute, start, minutes) => {
        const power = (levelPct: number) =>
          onBattery(levelPct, {
            capacityJ: 1e9,
            idleWatts: 2,
            policy: { charging: [{ fromMinute, toMinute, watts: 7 }] },
          });
        let level = 50;
        for (let n = 0; n < minutes; n++)
          level = projectedLevelPct(power(level), 0, minuteMs, (start + n) * minuteMs) ?? Number.NaN;
        expect(projectedLevelPct(power(50), 0, minutes * minuteMs, start * minuteMs)).toBeCloseTo(level, 6);
      }),
    );
  });
});
