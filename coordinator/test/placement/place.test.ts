import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeviceSnapshot, exactly, place, type Work } from '../../src/placement/index.ts';
import { anyFleet, anyWork } from '../support/any-fleet.ts';
import { aDevice, aFleet, aPolicy, type DeviceChange, onBattery, onMains, someWork } from '../support/fleets.ts';

const planOf = (devices: readonly DeviceSnapshot[], work: Work, seed = 1) =>
  place(aFleet(devices), work, { nowMs: 1_000, wallMs: 1_000, random: seededRandom(seed), ...aPolicy });
const chosenOf = (devices: readonly DeviceSnapshot[], work: Work, seed = 1) => {
  const plan = planOf(devices, work, seed);
  return plan.kind === 'placed' ? plan.placement.chosen : undefined;
};

describe('placement', () => {
  it('chooses the device that is expected to be done first by its own measurements', () => {
    const fleet = [aDevice('slow', { runMs: 90 }), aDevice('fast', { runMs: 10 }), aDevice('middle', { runMs: 40 })];
    const plan = planOf(fleet, someWork());
    expect(plan).toMatchObject({
      kind: 'placed',
      placement: {
        chosen: { device: 'fast', variant: 'int8', totalMs: 10 },
        others: [{ device: 'middle' }, { device: 'slow' }],
        considered: 3,
      },
    });
  });

  it('counts what waits before it, the way there, loading, and what cameras take', () => {
    const sameEnergy = { energyJ: 0 };
    const quick = aDevice('quick', { runMs: 10, ...sameEnergy });
    const rival = (change: DeviceChange) => aDevice('rival', { runMs: 5, ...sameEnergy, ...change });
    const work = someWork({ inputBytes: 10_000 });
    expect(chosenOf([quick, rival({})], work)?.device).toBe('rival');
    expect(chosenOf([quick, rival({ running: 1, backlog: exactly(50) })], work)).toMatchObject({ device: 'quick' });
    expect(chosenOf([quick, rival({ bytesPerMs: 100 })], work)).toMatchObject({ device: 'quick', transferMs: 10 });
    expect(chosenOf([quick, rival({ loadMs: 100 })], work)).toMatchObject({ device: 'quick' });
    expect(chosenOf([quick, rival({ cameraLoad: 0.7 })], work)).toMatchObject({ device: 'quick' });
    expect(chosenOf([quick, rival({ cameraLoad: 100 })], work)).toMatchObject({ device: 'quick' });
  });

  it('does not wait where a slot is free', () => {
    const busy = aDevice('busy', { runMs: 10, slots: 2, running: 1, backlog: exactly(900) });
    expect(chosenOf([busy], someWork())).toMatchObject({ queueMs: 0 });
  });

  it('prefers a device that has measured to one that has not, and uses the other when it must', () => {
    const fleet = [aDevice('guess'), aDevice('known', { runMs: 200 })];
    expect(chosenOf(fleet, someWork())).toMatchObject({ device: 'known' });
    expect(chosenOf(fleet, someWork({ declined: new Map([['known', 'no']]) }))).toMatchObject({
      device: 'guess',
      variant: 'int8',
    });
  });

  it('takes the variant that was measured rather than one that was not', () => {
    const onlyFloat = aDevice('d', {
      variants: { 'm/float32': { run: exactly(2_000) } },
    });
    expect(chosenOf([onlyFloat], someWork())).toMatchObject({ variant: 'float32' });
  });

  const refusals: [string, DeviceSnapshot, Partial<Work>, string, RegExp][] = [
    ['offline', aDevice('d', { presence: 'offline' }), {}, 'unreachable', /not heard of/],
    ['suspect', aDevice('d', { presence: 'suspect' }), {}, 'unreachable', /connection/],
    ['draining', aDevice('d', { draining: true }), {}, 'draining', /drained/],
    [
      'of another label',
      aDevice('d', { labels: { room: 'hall' } }),
      { labels: { room: 'attic' } },
      'labels',
      /hall, attic/,
    ],
    ['not the one', aDevice('d'), { device: 'e' }, 'other-device', /e/],
    ['without an engine', aDevice('d', { hasEngine: false }), {}, 'no-engine', /runtime/],
    [
      'on a battery that it has not spoken of since it was away',
      aDevice('d', { power: { ...onBattery(90), awaitsLevel: true } }),
      {},
      'battery',
      /not said yet how full/,
    ],
    ['at its battery floor', aDevice('d', { power: onBattery(22) }), {}, 'battery', /22 %, floor 30 %/],
    ['pausing', aDevice('d', { pause: { untilMs: 1_500, reason: 'hot' } }), {}, 'busy', /hot.*500 ms/],
    ['full', aDevice('d', { running: 64 }), {}, 'busy', /64/],
    ['far behind', aDevice('d', { running: 2, backlog: exactly(5_000) }), {}, 'busy', /5000 ms/],
    ['declining', aDevice('d'), { declined: new Map([['d', 'no-model']]) }, 'declined', /no-model/],
    ['too slow', aDevice('d', { runMs: 500 }), { timeLeftMs: 100 }, 'too-slow', /500 ms, 100 ms/],
  ];
  it.each(refusals)('refuses a device that is %s, and says why with figures', (_, device, change, reason, detail) => {
    const plan = planOf([device], someWork(change));
    expect(plan).toMatchObject({
      kind: 'unplaced',
      refused: [{ device: 'd', reason, detail: expect.stringMatching(detail) }],
    });
  });

  it('says in words why no device takes the work, how many of each, the most frequent first', () => {
    const reasonOf = (devices: readonly DeviceSnapshot[], change: Partial<Work> = {}) => {
      const plan = planOf(devices, someWork(change));
      return plan.kind === 'unplaced' ? plan.reason : undefined;
    };
    const drained = aDevice('a', { draining: true });
    const full = (id: string) => aDevice(id, { running: 64 });
    expect(reasonOf([])).toBe('no device has joined');
    expect(reasonOf([drained, full('b'), full('c')])).toBe('no device can take it now: 2 are busy, 1 is being drained');
    expect(reasonOf(Array.from({ length: 40 }, (_, n) => full(`d${n}`)))).toBe(
      'no device can take it now: among others, 32 are busy',
    );
    expect(reasonOf([{ ...drained, name: 'hall' }, full('b')], { device: 'a' })).toBe(
      'hall, the device that was asked for, cannot take it now: it is being drained',
    );
    expect(reasonOf([full('b')], { device: 'a' })).toBe('a, the device that was asked for, is not in this fleet');
  });

  it('does not refuse for a guess', () => {
    expect(chosenOf([aDevice('d')], someWork({ timeLeftMs: 1 }))).toMatchObject({ device: 'd' });
  });

  it('takes a device on battery above its floor, and a charging one below it', () => {
    expect(chosenOf([aDevice('d', { power: onBattery(31) })], someWork())).toBeDefined();
    expect(chosenOf([aDevice('d', { power: { ...onMains, levelPct: 5 } })], someWork())).toBeDefined();
  });

  it('comes back to a device where it failed only when no other could do it', () => {
    const tried = new Set(['a']);
    expect(chosenOf([aDevice('a', { runMs: 1 }), aDevice('b', { runMs: 900 })], someWork({ tried }))).toMatchObject({
      device: 'b',
    });
    expect(chosenOf([aDevice('a'), aDevice('b', { draining: true })], someWork({ tried }))).toMatchObject({
      device: 'a',
    });
    // A busy one is worth waiting for.
    expect(chosenOf([aDevice('a'), aDevice('b', { running: 64 })], someWork({ tried }))).toBeUndefined();
  });

  it('refuses a device once, though it has failed there and would be too slow besides', () => {
    const plan = planOf([aDevice('d', { runMs: 500 })], someWork({ timeLeftMs: 100, tried: new Set(['d']) }));
    expect(plan).toMatchObject({ kind: 'unplaced', refused: [{ device: 'd', reason: 'too-slow' }] });
    const busy = aDevice('busy', { running: 64 });
    const both = planOf([aDevice('d', { runMs: 500 }), busy], someWork({ timeLeftMs: 100, tried: new Set(['d']) }));
    expect(both.kind === 'unplaced' && both.refused.map(({ device }) => device)).toEqual(['d', 'busy']);
  });

  it('spreads work over equals', () => {
    const fleet = ['a', 'b', 'c'].map((id) => aDevice(id, { runMs: 10 }));
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let n = 0; n < 3_000; n++) {
      const plan = place(aFleet(fleet), someWork(), { nowMs: 0, wallMs: 0, random, ...aPolicy });
      if (plan.kind === 'placed')
        counts.set(plan.placement.chosen.device, (counts.get(plan.placement.chosen.device) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(850);
    expect(counts.size).toBe(3);
  });

  it('keeps few words about a large fleet', () => {
    const fleet = Array.from({ length: 500 }, (_, n) => aDevice(`d${n}`, n % 2 ? { runMs: n } : { draining: true }));
    const plan = planOf(fleet, someWork());
    if (plan.kind === 'unplaced') throw new Error('not placed');
    expect(plan.placement.chosen.device).toBe('d1');
    expect(plan.placement.others.map(({ device }) => device)).toEqual([
      'd3',
      'd5',
      'd7',
      'd9',
      'd11',
      'd13',
      'd15',
      'd17',
    ]);
    expect(plan.placement.refused).toHaveLength(32);
    expect(plan.placement.considered).toBe(500);
  });
});

describe('placement, whatever the fleet', () => {
  it('never chooses a device that it refuses alone, and never finds none when one alone would do that was not tried', () => {
    fc.assert(
      fc.property(anyFleet, anyWork, (fleet, work) => {
        const alone = fleet.filter((device) => planOf([device], work).kind === 'placed');
        const plan = planOf(fleet, work);
        if (plan.kind === 'placed') {
          expect(alone.map(({ id }) => id)).toContain(plan.placement.chosen.device);
          for (const { device } of plan.placement.refused) expect(device).not.toBe(plan.placement.chosen.device);
        } else {
          expect(alone.filter(({ id }) => !work.tried.has(id))).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('says something about every device of a small fleet', () => {
    fc.assert(
      fc.property(anyFleet, anyWork, (fleet, work) => {
        const plan = planOf(fleet, work);
        const said =
          plan.kind === 'unplaced'
            ? plan.refused
            : [...plan.placement.refused, ...plan.placement.others, plan.placement.chosen];
        if (fleet.length <= 8 && plan.kind === 'placed')
          expect(new Set(said.map(({ device }) => device)).size).toBe(fleet.length);
      }),
    );
  });

  it('decides the same for the same', () => {
    fc.assert(
      fc.property(anyFleet, anyWork, fc.integer(), (fleet, work, seed) => {
        expect(planOf(fleet, work, seed)).toEqual(planOf(fleet, work, seed));
      }),
    );
  });

  it('chooses no device that another one beats', () => {
    fc.assert(
      fc.property(anyFleet, anyWork, (fleet, work) => {
        const plan = planOf(fleet, work);
        if (plan.kind === 'unplaced') return;
        for (const other of plan.placement.others)
          expect(other.cost.total).toBeGreaterThanOrEqual(plan.placement.chosen.cost.total);
      }),
    );
  });
});
