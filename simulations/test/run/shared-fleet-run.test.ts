import { sharedFleetRun } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';
import { EndlessPlaces } from './planted-defects.ts';

const seeds = Array.from({ length: 6 }, (_, index) => index + 1);
/** A life takes half a second of a processor, which may have other things to do. */
const patienceMs = 180_000;

describe('two coordinators that place on one fleet at once', { timeout: patienceMs }, () => {
  it('never give a device more than it admits, bring every task to its end, and converge', async () => {
    let refused = 0;
    for (const seed of seeds) {
      const report = await sharedFleetRun(seed);
      expect({ seed, broken: report.broken }).toEqual({ seed, broken: [] });
      expect(report.convergedMs).toBeLessThan(120_000);
      for (const succeeded of report.succeeded) expect(succeeded).toBeGreaterThan(10);
      refused += report.refused;
    }
    // They did meet.
    expect(refused).toBeGreaterThan(seeds.length);
  });

  it('are found out when the agents of a device do not count together', async () => {
    for (const seed of seeds) {
      const { broken } = await sharedFleetRun(seed, { workPlaces: (count) => new EndlessPlaces(count) });
      if (broken.some((what) => /tasks wait on/.test(what))) return;
    }
    expect.fail('it was not found');
  });

  it('are the same to the byte when the seed is', async () => {
    expect((await sharedFleetRun(3)).traceDigest).toBe((await sharedFleetRun(3)).traceDigest);
  });
});
