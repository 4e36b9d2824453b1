import { aChoice, appraise, type FleetDevice, shareOf, type Work } from '@shoal/coordinator';
import { catalogueManifests, type ModelVariant } from '@shoal/models/manifest';
import { drawInstance, type Instance, optimum, placeInTurn, placeTogether } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';
import { aDevice } from './a-device.ts';
import { bruteForce } from './brute-force.ts';

const seeds = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const solved = ({ fleet, devices, works, context }: Instance) =>
  optimum({ devices, works, context, acceleratorsBusy: fleet.acceleratorsBusy });

/** In these, what a battery has left decides, or a bound that is a little too high would cut the optimum off. */
const tellingSeeds = [299, 379, 597, 699, 804, 1198, 1847, 1959, 10_343, 14_859];

describe('the optimum', () => {
  it('is what trying everything finds', () => {
    let served = 0;
    for (const seed of [...seeds(300), ...tellingSeeds]) {
      const instance = drawInstance(seed, { devices: 3, works: 3 });
      const found = solved(instance);
      const tried = bruteForce(instance);
      expect({ seed, served: found.served }).toEqual({ seed, served: tried.served });
      expect(Math.abs(found.cost - tried.cost), `seed ${seed}`).toBeLessThan(1e-9 * Math.max(1, tried.cost));
      served += found.served;
    }
    // Instances of which nothing can be done would agree without any thought.
    expect(served).toBeGreaterThan(400);
  });

  it('knows that a battery may be charged while work waits', () => {
    // Noon: 20 W of sun. It has 0.18 J to spare, a run of `b` draws 0.5: only after 100 ms of `a` it can be done.
    const charging = [{ fromMinute: 0, toMinute: 1_439, watts: 20 }];
    const power = { onBattery: true, levelPct: 31.5, capacityJ: 36, idleWatts: 2, policy: { charging } };
    const devices = [
      aDevice('sunny', { a: [100, 0.1], b: [10, 0.5] }, { power }),
      aDevice('good at a', { a: [100, 0.5], b: [10, 40] }),
      aDevice('bad', { a: [100, 30], b: [10, 30] }),
    ];
    const works = [aWork('a'), aWork('b')];
    const { context } = drawInstance(1);
    const { steps } = optimum({ devices, works, context, acceleratorsBusy: 0 });
    expect(steps).toMatchObject([
      { work: 0, device: 'sunny' },
      { work: 1, device: 'sunny' },
    ]);
  });

  it('is a way that devices really take: each step costs what it says when it is its turn', () => {
    for (const seed of seeds(40)) {
      const instance = drawInstance(seed, { devices: 5, works: 6 });
      const { fleet, devices, works, context } = instance;
      const { acceleratorsBusy } = fleet;
      const { steps, cost, served } = solved(instance);
      expect(new Set(steps.map(({ work }) => work)).size).toBe(served);
      let sum = 0;
      for (const step of steps) {
        const device = fleet.device(step.device) as FleetDevice;
        const work = works[step.work];
        const candidate =
          work &&
          appraise(device, work, { acceleratorsBusy }, context).find(({ choice }) => choice?.key === step.choice);
        if (!candidate) throw new Error(`seed ${seed}: ${step.device} does not take it`);
        expect(candidate.cost.total).toBeCloseTo(step.cost, 9);
        device.take(shareOf(candidate.shown(), context.nowMs));
        sum += candidate.cost.total;
      }
      expect(sum).toBeCloseTo(cost, 9);
      expect(devices.length).toBeGreaterThan(0);
    }
  });
});

describe('over random instances, and with nothing refused that one device could take,', () => {
  it.each([
    { how: 'as it comes', placed: placeInTurn, within: 1.05 },
    { how: 'together', placed: placeTogether, within: 1.02 },
  ])('work that is placed $how costs at most $within times the optimum', ({ placed, within }) => {
    let [cost, least, compared] = [0, 0, 0];
    for (const seed of seeds(120)) {
      const instance = drawInstance(seed, { devices: 5, works: 6 });
      const best = solved(instance);
      const found = placed(instance);
      expect({ seed, refusedWrongly: found.refusedWrongly }).toEqual({ seed, refusedWrongly: 0 });
      expect(found.served).toBeLessThanOrEqual(best.served);
      if (found.served < best.served) continue;
      expect(found.cost, `seed ${seed}`).toBeGreaterThanOrEqual(best.cost - 1e-9);
      cost += found.cost;
      least += best.cost;
      compared += 1;
    }
    expect(compared).toBeGreaterThan(100);
    expect(cost / least).toBeLessThan(within);
  });
});

describe('work that is placed together', () => {
  it('never costs more than as it comes, and no less of it is served', () => {
    // In those that are named, the flow alone would.
    for (const seed of [36, 234, 261, 561, 583, 712, 962, ...seeds(100)]) {
      const [together, inTurn] = [placeTogether(drawInstance(seed)), placeInTurn(drawInstance(seed))];
      expect(together.served, `seed ${seed}`).toBeGreaterThanOrEqual(inTurn.served);
      if (together.served === inTurn.served)
        expect(together.cost, `seed ${seed}`).toBeLessThanOrEqual(inTurn.cost * 1.001);
    }
  });
});

function aWork(model: string): Work {
  const [variant] = catalogueManifests[0]?.variants ?? [];
  return {
    choices: [aChoice(model, variant as ModelVariant, 0.5)],
    inputBytes: 0,
    labels: {},
    tried: new Set(),
    declined: new Map(),
  };
}
