import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeviceSnapshot,
  type Figures,
  FleetIndex,
  type FleetSnapshot,
  optionsOf,
  type Plan,
  place,
  slowed,
  type Work,
} from '../../src/placement/index.ts';
import { anyDevice, anyFleet, anyWork } from '../support/any-fleet.ts';
import { aFleet, aPolicy } from '../support/fleets.ts';

const context = (seed = 1) => ({ ...aPolicy, nowMs: 1_000, wallMs: 1_000, random: seededRandom(seed) });
const planOf = (devices: readonly DeviceSnapshot[], work: Work, seed = 1) =>
  place(aFleet(devices, 0.5), work, context(seed));
/** Not tried yet: a device where it was is the last resort, however cheap it would be. */
const freshWork = anyWork.map((work) => ({ ...work, tried: new Set<string>() }));

/** What the plan costs; infinite when there is none. */
const costOf = (plan: Plan) => (plan.kind === 'placed' ? plan.placement.chosen.cost.total : Number.POSITIVE_INFINITY);

/** The same device, on which every run takes so many times as long. */
function paced(device: DeviceSnapshot, factor: number): DeviceSnapshot {
  const figures = (key: string): Figures => {
    const known = device.figures(key);
    return { ...known, run: known.run && slowed(known.run, factor) };
  };
  const changed: DeviceSnapshot = { ...device, figures, options: (menu) => optionsOf(changed, menu) };
  return changed;
}

describe('the plan that placement makes', () => {
  it('never costs more when there is more time', () => {
    fc.assert(
      fc.property(anyFleet, freshWork, fc.integer({ min: 0, max: 5_000 }), (fleet, work, moreMs) => {
        const timeLeftMs = (work.timeLeftMs ?? 0) + moreMs;
        const { timeLeftMs: _, ...whenever } = work;
        const costs = [work, { ...work, timeLeftMs }, whenever].map((each) => costOf(planOf(fleet, each)));
        expect(costs[1]).toBeLessThanOrEqual((costs[0] as number) + 1e-9);
        expect(costs[2]).toBeLessThanOrEqual((costs[1] as number) + 1e-9);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never costs more when one of the devices is quicker', () => {
    const factor = fc.double({ min: 0.05, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyFleet, freshWork, fc.nat(), factor, (fleet, work, which, times) => {
        const quicker = fleet.map((device, n) => (n === which % fleet.length ? paced(device, times) : device));
        expect(costOf(planOf(quicker, work))).toBeLessThanOrEqual(costOf(planOf(fleet, work)) + 1e-9);
      }),
      { numRuns: 2_000 },
    );
  });

  it('costs the same in whatever order the devices stand', () => {
    const shuffled = anyFleet.chain((fleet) =>
      fc.tuple(fc.constant(fleet), fc.shuffledSubarray([...fleet], { minLength: fleet.length })),
    );
    fc.assert(
      fc.property(shuffled, anyWork, fc.integer(), ([fleet, other], work, seed) => {
        expect(costOf(planOf(other, work, seed))).toBe(costOf(planOf(fleet, work)));
      }),
    );
  });

  it('says of every device why it is refused, when there is none', () => {
    let unplaced = 0;
    fc.assert(
      fc.property(anyFleet, anyWork, (fleet, work) => {
        const plan = planOf(fleet, work);
        if (plan.kind === 'placed') return;
        unplaced += 1;
        expect(plan.refused.map(({ device }) => device).toSorted()).toEqual(fleet.map(({ id }) => id).toSorted());
        for (const { detail } of plan.refused) expect(detail).not.toBe('');
        expect(plan.reason).not.toBe('');
      }),
      { numRuns: 1_000 },
    );
    expect(unplaced).toBeGreaterThan(20);
  });
});

describe('a large fleet', () => {
  it('is searched in vain only when a look at every device would be in vain', () => {
    const largeFleet = fc
      .array(anyDevice('d'), { minLength: 1, maxLength: 6 })
      .chain((kinds) => fc.tuple(fc.constant(kinds), fc.integer({ min: 65, max: 300 }), fc.integer()));
    /** Devices that have not said no: in one case of two a few, so that both ends are met often. */
    const open = fc.option(fc.array(fc.nat(), { maxLength: 3 }), { nil: undefined, freq: 1 });
    let [placed, unplaced] = [0, 0];
    fc.assert(
      fc.property(largeFleet, anyWork, open, ([kinds, size, seed], { labels: _, ...rest }, willing) => {
        const random = seededRandom(seed);
        const fleet = new FleetIndex(random);
        for (let n = 0; n < size; n++) {
          const kind = kinds[Math.floor(random.next() ** 4 * kinds.length)] as DeviceSnapshot;
          fleet.put({ ...kind, id: `d${n}`, kind: `kind ${n % 7}` });
        }
        const declined = new Map(willing && Array.from({ length: size }, (_, n) => [`d${n}`, 'no']));
        for (const n of willing ?? []) declined.delete(`d${n % size}`);
        const work: Work = { ...rest, labels: {}, declined };
        const whole: FleetSnapshot = {
          size,
          acceleratorsBusy: fleet.acceleratorsBusy,
          device: (id) => fleet.device(id),
          all: () => fleet.all(),
        };
        const found = place(fleet, work, context());
        expect(found.kind).toBe(place(whole, work, context()).kind);
        if (found.kind === 'placed') placed += 1;
        else unplaced += 1;
      }),
      { numRuns: 200 },
    );
    expect([placed > 20, unplaced > 20]).toEqual([true, true]);
  });
});
