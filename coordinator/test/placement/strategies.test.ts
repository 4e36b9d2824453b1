import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aChoice,
  type DeviceSnapshot,
  exactly,
  place,
  strategies,
  strategyNamed,
  type Work,
} from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

/** Where pieces of work go, one after the other, when the devices stay as they are. */
function picks(
  name: string,
  devices: readonly DeviceSnapshot[],
  work: Partial<Work> = {},
  count = 1,
): readonly string[] {
  const context = { ...aPolicy, strategy: strategyNamed(name), nowMs: 0, wallMs: 0, random: seededRandom(3) };
  return Array.from({ length: count }, () => {
    const plan = place(aFleet(devices), someWork(work), context);
    if (plan.kind === 'unplaced') throw new Error(plan.reason);
    return plan.placement.chosen.device;
  });
}

function shares(chosen: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of chosen) counts[id] = (counts[id] ?? 0) + 1 / chosen.length;
  return counts;
}

const equals = (ids: string) => [...ids].map((id) => aDevice(id, { runMs: 10 }));
const queued = (ms: number) => ({ running: 1, backlog: exactly(ms) });

describe('the strategy', () => {
  it('cost weighs joules against time', () => {
    const fleet = [aDevice('fast', { runMs: 10, energyJ: 9 }), aDevice('frugal', { runMs: 300, energyJ: 0.1 })];
    expect(picks('cost', fleet)).toEqual(['frugal']);
  });

  it('round-robin takes whoever had its turn least often', () => {
    const fleet = [aDevice('a', { runMs: 1, placed: 5 }), aDevice('b', { runMs: 90, placed: 4 })];
    expect(picks('round-robin', fleet)).toEqual(['b']);
  });

  it('random takes each as often', () => {
    const found = shares(picks('random', [aDevice('slow', { runMs: 900 }), ...equals('abc')], {}, 4_000));
    for (const id of ['slow', 'a', 'b', 'c']) expect(found[id]).toBeCloseTo(0.25, 1);
  });

  it('least-loaded takes the one with the fewest attempts for its slots, cameras counted, blind to speed', () => {
    const slow = aDevice('slow', { runMs: 900, slots: 4, running: 1 });
    const rival = (change: Partial<DeviceSnapshot>) => aDevice('rival', { runMs: 1, slots: 2, ...change });
    expect(picks('least-loaded', [slow, rival({ running: 1 })])).toEqual(['slow']);
    expect(picks('least-loaded', [slow, rival({ cameraLoad: 0.3 })])).toEqual(['slow']);
    expect(picks('least-loaded', [slow, rival({})])).toEqual(['rival']);
  });

  it('weighted takes the quicker ones oftener, in proportion', () => {
    const fleet = [aDevice('one', { runMs: 100 }), aDevice('three', { runMs: 100, slots: 3 })];
    expect(shares(picks('weighted', fleet, {}, 4_000))['three']).toBeCloseTo(0.75, 1);
  });

  it('hash-affinity keeps to a device, spreads the keys, and moves only those of a device that leaves', () => {
    const on = (devices: readonly DeviceSnapshot[]) =>
      Array.from({ length: 200 }, (_, n) => picks('hash-affinity', devices, { affinity: `camera ${n}` })[0] ?? '');
    const before = on(equals('abcd'));
    expect(on(equals('dcba'))).toEqual(before);
    for (const id of 'abcd') expect(shares(before)[id]).toBeGreaterThan(0.15);
    const after = on(equals('abc'));
    for (const [n, id] of before.entries()) if (id !== 'd') expect(after[n]).toBe(id);
  });

  it('power-of-two takes the less busy of two that it draws', () => {
    const fleet = [aDevice('busy', { runMs: 10, ...queued(500) }), ...equals('abc')];
    const found = shares(picks('power-of-two', fleet, {}, 4_000));
    // Only when both draws are the busy one: one of sixteen.
    expect(found['busy']).toBeCloseTo(1 / 16, 1);
    for (const id of 'abc') expect(found[id]).toBeGreaterThan(0.2);
  });

  it('fastest takes the quickest run, however long its queue', () => {
    expect(picks('fastest', [aDevice('slow', { runMs: 20 }), aDevice('quick', { runMs: 10, ...queued(900) })])).toEqual(
      ['quick'],
    );
  });

  const choices = [
    aChoice('small', aVariant(), 0.3),
    aChoice('middle', aVariant(), 0.36),
    aChoice('big', aVariant(), 0.4),
  ];
  const running = (id: string, energies: Record<string, number>) =>
    aDevice(id, {
      variants: Object.fromEntries(
        Object.entries(energies).map(([model, energyJ]) => [`${model}/int8`, { run: exactly(10 * energyJ), energyJ }]),
      ),
    });

  it('most-accurate takes the best model, wherever it runs', () => {
    const fleet = [running('cheap', { small: 1, middle: 2 }), running('dear', { big: 90 })];
    expect(picks('most-accurate', fleet, { choices })).toEqual(['dear']);
  });

  it('ecore takes the least energy within five points of the best accuracy', () => {
    const fleet = [running('cheap', { small: 1 }), running('frugal', { middle: 2 }), running('dear', { big: 90 })];
    expect(picks('ecore', fleet, { choices })).toEqual(['frugal']);
  });

  it('that nobody knows is refused with the names there are', () => {
    expect(() => strategyNamed('best')).toThrow(/there is no strategy "best"; known are cost, min-cost-flow,/);
  });
});

describe('every strategy', () => {
  it.each(strategies.map(({ name }) => name))(
    '%s takes only devices that can do the work, and one whenever there is one',
    (name) => {
      const device = fc.record({
        draining: fc.boolean(),
        runMs: fc.integer({ min: 1, max: 900 }),
        running: fc.integer({ min: 0, max: 3 }),
        backlog: fc.integer({ min: 0, max: 2_000 }).map(exactly),
      });
      fc.assert(
        fc.property(fc.array(device, { maxLength: 8 }), fc.integer({ min: 1, max: 1_000 }), (drawn, timeLeftMs) => {
          const devices = drawn.map((change, n) => aDevice(`d${n}`, change));
          const can = drawn.map(
            ({ draining, runMs, running, backlog }) =>
              !draining && runMs <= timeLeftMs && !(running >= 2 && backlog.meanMs >= 1_000),
          );
          const context = { ...aPolicy, strategy: strategyNamed(name), nowMs: 0, wallMs: 0, random: seededRandom(1) };
          const plan = place(aFleet(devices), someWork({ timeLeftMs }), context);
          if (plan.kind === 'placed') expect(can[Number(plan.placement.chosen.device.slice(1))]).toBe(true);
          else expect(can).not.toContain(true);
        }),
        { numRuns: 200 },
      );
    },
  );
});
