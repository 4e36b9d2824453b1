import { describe, expect, it } from 'vitest';
import { CoarseWorld } from '../../src/coarse/index.ts';
import { deviceClasses, modelFactors, parseFleet } from '../../src/fleet/index.ts';

const others = ', { class: pi-4, count: 1, link: ethernet }, { class: n100, count: 1, link: ethernet }';

/** A pi-5 says that everything takes it so many times as long as it does. */
function worldWhereOneLies(factor: number, devices = others): CoarseWorld {
  const fleet = parseFleet(`
    { name: liars, title: one lies, devices: [{ class: pi-5, count: 1, link: ethernet }${devices}],
      workloads: [{ name: w, rate: 12 /s, burst: { every: 5 s, count: 20 }, size: 1 kB, deadline: 900 ms }] }`);
  const world = new CoarseWorld({ fleet, seed: 1, strategy: 'cost' });
  const liar = world.devices[0]?.known;
  const profiles = liar?.record.profiles.map((profile) => ({
    ...profile,
    p50Ms: profile.p50Ms * factor,
    p95Ms: profile.p95Ms * factor,
    energyMj: (profile.energyMj ?? 0) * factor,
  }));
  if (liar && profiles) liar.setRecord({ ...liar.record, profiles });
  return world;
}

describe('a profile that is off by a hundred', () => {
  it.each([0.01, 1, 100])('(by %d) does bounded harm in a fleet: what is seen counts soon', (factor) => {
    const world = worldWhereOneLies(factor);
    world.run(60_000);
    const { submitted, missed, late, expired } = world.tally;
    expect(missed).toBeLessThan(0.1);
    world.run(240_000);
    const then = world.tally.submitted - submitted;
    expect(then).toBeGreaterThan(2_000);
    expect((world.tally.late + world.tally.expired - late - expired) / then).toBeLessThan(0.02);
  });

  it('is not believed any more where it promised too much: by then it was used', () => {
    const world = worldWhereOneLies(0.01);
    world.run(60_000);
    const used = (['efficientdet-lite1', 'efficientdet-lite2'] as const).map((model) => {
      const { unproven, run } = world.devices[0]?.known.figures(`${model}/int8`) ?? {};
      return { unproven, factor: (run?.meanMs ?? 0) / (deviceClasses['pi-5'].lite0Ms * modelFactors[model]) };
    });
    for (const { unproven, factor } of used) {
      expect(unproven).toBe(false);
      expect(factor).toBeGreaterThan(0.8);
      expect(factor).toBeLessThan(1.3);
    }
  });

  it('is tried where it promised too little and nobody else is there, and then known better', () => {
    const world = worldWhereOneLies(100, '');
    world.run(4_000);
    expect(world.tally.finished).toBe(0);
    world.run(26_000);
    const { submitted, late, expired } = world.tally;
    world.run(60_000);
    const missed = world.tally.late + world.tally.expired - late - expired;
    expect(missed / (world.tally.submitted - submitted)).toBeLessThan(0.05);
  });
});
