import { describe, expect, it } from 'vitest';
import { type Outcome, simulate } from '../../src/coarse/index.ts';
import { parseFleet } from '../../src/fleet/index.ts';
import { simulateWhole } from '../../src/whole/index.ts';

const seconds = 120;

const fleet = parseFleet(`
name: both
title: small enough for whole agents, on the mains
devices:
  - { class: pi-4, count: 3, link: ethernet }
  - { class: pi-5, count: 2, link: ethernet }
  - { class: orin-nano, count: 1, link: ethernet }
  - { class: n100, count: 1, link: ethernet }
workloads:
  - { name: steady, rate: 10 /s, deadline: 800 ms, size: 10 kB }
  - { name: burst, burst: { every: 10 s, count: 40 }, deadline: 800 ms, size: 10 kB }
`);

function inCoarse(strategy: string): Outcome {
  return simulate({ fleet, strategy, seed: 1, hours: seconds / 3_600, startHour: 0 });
}

/** The tolerances that docs/simulator.md states. */
describe('whole agents and coarse devices', () => {
  it.each(['cost', 'least-loaded', 'round-robin'])('agree on a fleet that both can run, under %s', async (strategy) => {
    const whole = await simulateWhole({ fleet, strategy, seed: 1, seconds, signatures: 'simulated' });
    const coarse = inCoarse(strategy);
    const meanMs = whole.latenciesMs.reduce((sum, ms) => sum + ms, 0) / whole.finished;
    expect(whole.submitted).toBeGreaterThan(1_000);
    expect(coarse.submitted).toBeGreaterThan(1_000);
    expect(Math.abs(coarse.latencyMs.mean - meanMs)).toBeLessThan(0.15 * meanMs + 5);
    expect(coarse.joulesPerTask / whole.joulesPerTask).toBeGreaterThan(0.85);
    expect(coarse.joulesPerTask / whole.joulesPerTask).toBeLessThan(1.15);
    expect(Math.abs(coarse.accuracy - whole.accuracy)).toBeLessThan(0.02);
    expect(Math.abs(coarse.missed - whole.missed)).toBeLessThan(0.02);
  });

  it('tell the same strategies apart', () => {
    const [cost, leastLoaded] = [inCoarse('cost'), inCoarse('least-loaded')];
    // Else to agree on each would say little.
    expect(leastLoaded.latencyMs.mean / cost.latencyMs.mean).toBeGreaterThan(2);
    expect(leastLoaded.joulesPerTask / cost.joulesPerTask).toBeGreaterThan(5);
  });

  it('that are on batteries cannot be whole', async () => {
    const [group, ...others] = fleet.devices;
    if (!group) throw new Error('no devices');
    const battery = { wattHours: 10, levelPct: 80, spreadPct: 0, floorPct: 30, charging: [] };
    const onBatteries = { ...fleet, devices: [{ ...group, battery }, ...others] };
    await expect(simulateWhole({ fleet: onBatteries, strategy: 'cost', seed: 1, seconds: 1 })).rejects.toThrow(
      'both has devices on batteries',
    );
  });

  it('that have cameras, or fail, cannot be whole', async () => {
    const stream = { width: 640, height: 360, fps: 10, codec: 'h264' } as const;
    const camera = {
      name: 'door',
      count: 1,
      fps: 1,
      stream,
      labels: {},
      objects: { few: 1, some: 0, many: 0 },
      accuracyLoss: 1,
    };
    const failing = fleet.devices.map((group) => ({ ...group, fails: { everyMs: 60_000, forMs: 1_000 } }));
    for (const other of [
      { ...fleet, cameras: [camera] },
      { ...fleet, devices: failing },
    ])
      await expect(simulateWhole({ fleet: other, strategy: 'cost', seed: 1, seconds: 1 })).rejects.toThrow(
        'both has cameras, or devices that fail',
      );
  });
});
