import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { exactly, type Plan, place, strategies, Trials } from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, someWork } from '../support/fleets.ts';

const hurried = someWork({ timeLeftMs: 500 });

function planFor(unproven: boolean, mayTry: boolean): Plan {
  const device = aDevice('d', { variants: { 'm/int8': { run: exactly(3_000), energyJ: 1, unproven } } });
  return place(aFleet([device]), hurried, { ...aPolicy, nowMs: 0, wallMs: 0, random: seededRandom(1), mayTry });
}

describe('a device that says it is too slow', () => {
  it('is tried when no run has shown it, and trials are due', () => {
    expect(planFor(true, true)).toMatchObject({ kind: 'placed', placement: { chosen: { device: 'd', trial: true } } });
  });

  it('is refused when a run has shown it, or trials are not due', () => {
    const refused = { kind: 'unplaced', refused: [{ reason: 'too-slow' }] };
    expect(planFor(false, true)).toMatchObject(refused);
    expect(planFor(true, false)).toMatchObject(refused);
  });

  it.each(strategies.map((strategy) => ({ strategy, name: strategy.name })))(
    'gets nothing that another could do in time, however little it draws: $name',
    ({ strategy }) => {
      const slow = aDevice('slow', { variants: { 'm/int8': { run: exactly(3_000), energyJ: 0.1, unproven: true } } });
      const quick = aDevice('quick', { variants: { 'm/int8': { run: exactly(100), energyJ: 6 } } });
      for (let seed = 1; seed <= 20; seed++) {
        const context = { ...aPolicy, strategy, nowMs: 0, wallMs: 0, random: seededRandom(seed), mayTry: true };
        const plan = place(aFleet([slow, quick]), hurried, context);
        expect(plan).toMatchObject({ placement: { chosen: { device: 'quick' } } });
      }
    },
  );

  it('is no trial where it is quick enough', () => {
    const device = aDevice('d', { variants: { 'm/int8': { run: exactly(100), energyJ: 1, unproven: true } } });
    const context = { ...aPolicy, nowMs: 0, wallMs: 0, random: seededRandom(1), mayTry: true };
    const plan = place(aFleet([device]), hurried, context);
    expect(plan.kind === 'placed' && plan.placement.chosen).not.toHaveProperty('trial');
  });
});

describe('trials', () => {
  it('are due some seconds after the first work, and half as often after each', () => {
    const trials = new Trials();
    const plan = planFor(true, true);
    const placement = plan.kind === 'placed' ? plan.placement : undefined;
    const dueMs: number[] = [];
    for (let nowMs = 0; nowMs < 7_200_000; nowMs += 1_000) {
      if (!placement || !trials.mayTry(nowMs)) continue;
      dueMs.push(nowMs);
      trials.placed(placement, nowMs);
    }
    expect(dueMs.slice(0, 5)).toEqual([5_000, 10_000, 20_000, 40_000, 80_000]);
    expect((dueMs.at(-1) ?? 0) - (dueMs.at(-2) ?? 0)).toBe(600_000);
  });

  it('are not used up by work that is none', () => {
    const trials = new Trials();
    trials.mayTry(0);
    const plan = planFor(true, true);
    if (plan.kind === 'placed') {
      const { trial: _, ...chosen } = plan.placement.chosen;
      trials.placed({ ...plan.placement, chosen }, 5_000);
    }
    expect(trials.mayTry(5_000)).toBe(true);
  });
});
