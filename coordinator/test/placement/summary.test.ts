import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../src/domain/index.ts';
import {
  aChoice,
  type DeviceSnapshot,
  exactly,
  place,
  placementSummary,
  strategies,
  strategyNamed,
} from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, onBattery, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

function placementOf(devices: readonly DeviceSnapshot[], change = {}, strategy = 'cost', busy = 0): Placement {
  const context = { nowMs: 1_000, wallMs: 1_000, random: seededRandom(1), ...aPolicy };
  const plan = place(aFleet(devices, busy), someWork(change), { ...context, strategy: strategyNamed(strategy) });
  if (plan.kind === 'unplaced') throw new Error(plan.reason);
  return plan.placement;
}

const summaryOf = (placement: Placement) => placementSummary(placement, (device) => device.toUpperCase());
const frugal = aDevice('frugal', { runMs: 50, energyJ: 0.4 });

describe('what is said of why a device was chosen', () => {
  it('is that it takes less energy, when a quicker one takes more', () => {
    expect(summaryOf(placementOf([frugal, aDevice('quick', { runMs: 20, energyJ: 2.1 })]))).toBe(
      'expected to be done in 50 ms, and chosen over QUICK (20 ms): it takes less energy (0.4 J, not 2.1 J)',
    );
  });

  it('is that it is done sooner only when it is, and what speaks against it', () => {
    expect(summaryOf(placementOf([frugal, aDevice('slow', { runMs: 2_500, energyJ: 0.4 })]))).toBe(
      'expected to be done in 50 ms, and chosen over SLOW (2.5 s): it is done sooner',
    );
    expect(summaryOf(placementOf([frugal, aDevice('slow', { runMs: 2_500, energyJ: 0.3 })]))).toBe(
      'expected to be done in 50 ms, and chosen over SLOW (2.5 s): it is done sooner, though it takes more energy (0.4 J, not 0.3 J)',
    );
  });

  it('is that it is surer to be in time', () => {
    const shaky = aDevice('shaky', {
      variants: { 'm/int8': { run: { meanMs: 50, varianceMs2: 10_000 }, energyJ: 0.4 } },
    });
    expect(summaryOf(placementOf([frugal, shaky], { timeLeftMs: 80 }))).toMatch(
      /SHAKY \(50 ms\): .* surer to be in time$/,
    );
  });

  it('is that energy costs less there', () => {
    const tired = aDevice('tired', { runMs: 50, energyJ: 0.4, power: onBattery(45) });
    expect(summaryOf(placementOf([frugal, tired]))).toMatch(/TIRED \(50 ms\): energy costs less there now$/);
  });

  it('is that its model is more accurate', () => {
    const choices = [aChoice('m', aVariant(), 0.25), aChoice('best', aVariant(), 0.4)];
    const better = aDevice('better', { variants: { 'best/int8': { run: exactly(50), energyJ: 0.4 } } });
    expect(summaryOf(placementOf([frugal, better], { choices }))).toMatch(
      /FRUGAL \(50 ms\): its model is more accurate \(0\.40, not 0\.25\)$/,
    );
  });

  it('is that it spares an accelerator', () => {
    const gpu = aDevice('gpu', { runMs: 49, energyJ: 0.4, accelerated: true });
    expect(summaryOf(placementOf([frugal, gpu], {}, 'cost', 1))).toMatch(/GPU \(49 ms\): that spares a GPU/);
  });

  it('is no difference where there is none', () => {
    const twin = aDevice('twin', { runMs: 50, energyJ: 0.4 });
    expect(summaryOf(placementOf([frugal, twin]))).toMatch(/\(50 ms\): there it costs the same$/);
  });

  it('is that there was no other, and that a guess is one', () => {
    expect(summaryOf(placementOf([frugal]))).toBe('expected to be done in 50 ms, the only device');
    const drained = aDevice('drained', { draining: true });
    expect(summaryOf(placementOf([aDevice('new'), drained]))).toBe(
      'expected to be done in 5.3 s, which is a guess, the only one that could take it',
    );
  });

  it('is what the strategy goes by, when that is not the cost', () => {
    const quick = aDevice('quick', { runMs: 20, energyJ: 2.1 });
    expect(summaryOf(placementOf([frugal, quick], {}, 'fastest'))).toBe(
      'expected to be done in 20 ms, and chosen over FRUGAL (50 ms): it runs its model in the least time',
    );
    for (const { name, leastCost, together } of strategies)
      if (!leastCost && !together)
        expect(summaryOf(placementOf([frugal, quick], {}, name)), name).not.toMatch(/energy \(|sooner|the same$/);
  });

  it('is that others needed what costs less, when it was decided together with them', () => {
    const placement = placementOf([frugal, aDevice('quick', { runMs: 20, energyJ: 2.1 })]);
    expect(summaryOf({ ...placement, together: true })).toMatch(/: it was decided on together with other work/);
  });
});
