import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { SimulatedBattery } from '../../src/world/simulated-battery.ts';

const hourMs = 3_600_000;

function aBattery(levelPct = 50) {
  const clock = new VirtualClock();
  const charging = { fromMs: 2 * hourMs, toMs: 3 * hourMs, watts: 4 };
  return {
    clock,
    battery: new SimulatedBattery({ levelPct, wattHours: 10, idleWatts: 1, workWatts: 5, charging }, clock),
  };
}

describe('a simulated battery', () => {
  it('drains while nothing happens, and by work', async () => {
    const { clock, battery } = aBattery();
    await clock.advance(hourMs);
    expect(battery.levelPct).toBeCloseTo(40, 9);
    battery.work(hourMs / 5);
    expect(battery.levelPct).toBeCloseTo(30, 9);
    expect(battery.workedJ).toBe(3_600);
  });

  it('is charged in its window, whenever it is looked at, and at a plug', async () => {
    const { clock, battery } = aBattery();
    await clock.advance(2.5 * hourMs);
    expect(battery.isCharging).toBe(true);
    await clock.advance(1.5 * hourMs);
    expect(battery.isCharging).toBe(false);
    expect(battery.levelPct).toBeCloseTo(50 + 40 - 40, 9);
    battery.pluggedIn = true;
    await clock.advance(hourMs);
    expect(battery.levelPct).toBeCloseTo(80, 9);
  });

  it('is never more than full, and never less than empty', async () => {
    const { clock, battery } = aBattery();
    battery.work(10 * hourMs);
    expect(battery.levelPct).toBe(0);
    battery.pluggedIn = true;
    await clock.advance(10 * hourMs);
    expect(battery.levelPct).toBe(100);
  });
});
