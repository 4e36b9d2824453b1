import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aChoice, exactly, type Plan, place } from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, type DeviceChange, someWork } from '../support/fleets.ts';
import { aVariant } from '../support/models.ts';

const megabyte = 1e6;
const choices = [
  aChoice('m', aVariant({ name: 'float32', precision: 'float32' }), 0.4),
  aChoice('m', aVariant({ name: 'int8' }), 0.3),
];
const planOf = (change: DeviceChange, workChange = {}): Plan =>
  place(aFleet([aDevice('d', change)]), someWork({ choices, ...workChange }), {
    ...aPolicy,
    nowMs: 1_000,
    wallMs: 1_000,
    random: seededRandom(1),
  });
const variantOf = (plan: Plan) => (plan.kind === 'placed' ? plan.placement.chosen.variant : plan.refused[0]?.reason);

/** Quicker and more accurate with much memory; both have to be loaded. */
const twoVariants = {
  'm/float32': { run: exactly(10), energyJ: 0, loadMs: 1, loadedUntilMs: 0, memoryBytes: 400 * megabyte },
  'm/int8': { run: exactly(20), energyJ: 0, loadMs: 1, loadedUntilMs: 0, memoryBytes: 100 * megabyte },
};

describe('memory', () => {
  it('decides which variant a device can run: another one may fit', () => {
    const variants = twoVariants;
    expect(variantOf(planOf({ freeBytes: 400 * megabyte, variants }))).toBe('float32');
    expect(variantOf(planOf({ freeBytes: 400 * megabyte - 1, variants }))).toBe('int8');
    expect(variantOf(planOf({ freeBytes: 100 * megabyte - 1, variants }))).toBe('memory');
    expect(variantOf(planOf({ freeBytes: Number.POSITIVE_INFINITY, variants }))).toBe('float32');
  });

  it('is refused with its figures, and in words', () => {
    expect(planOf({ freeBytes: 99.5 * megabyte, variants: { 'm/int8': twoVariants['m/int8'] } })).toMatchObject({
      kind: 'unplaced',
      refused: [{ reason: 'memory', detail: 'm/int8 needs 100 MB of memory, 100 MB can be had' }],
      reason: 'no device can take it now: 1 has too little memory for the model',
    });
  });

  it('is guessed from the size of the file where it was not measured', () => {
    const guess = choices.slice(1);
    const { sizeBytes } = aVariant();
    const needed = 5 * sizeBytes + 16 * 1024 * 1024;
    const variants = { 'm/int8': { run: exactly(10), loadedUntilMs: 0 } };
    expect(variantOf(planOf({ freeBytes: needed, variants }, { choices: guess }))).toBe('int8');
    expect(planOf({ freeBytes: needed - 1, variants }, { choices: guess })).toMatchObject({
      refused: [{ reason: 'memory', detail: expect.stringContaining('by a guess from its size') }],
    });
  });

  it('is not asked for again by what is loaded, or being loaded', () => {
    const [loaded, loading] = [{ loadedUntilMs: 2_000 }, { loadingUntilMs: 500 }];
    for (const there of [loaded, loading]) {
      const variants = { 'm/int8': { ...twoVariants['m/int8'], ...there } };
      expect(variantOf(planOf({ freeBytes: 0, variants }))).toBe('int8');
    }
  });

  it('is asked for by cameras too', () => {
    const stream = { fps: 1 };
    const variants = { 'm/int8': twoVariants['m/int8'] };
    expect(variantOf(planOf({ freeBytes: 100 * megabyte, variants }, { stream }))).toBe('int8');
    expect(variantOf(planOf({ freeBytes: 99 * megabyte, variants }, { stream }))).toBe('memory');
  });

  it('never takes what does not fit, and always what does', () => {
    const bytes = fc.integer({ min: 1, max: 10 });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (free, float32, int8, other) => {
        const variants = {
          'm/float32': { ...twoVariants['m/float32'], memoryBytes: float32 },
          'm/int8': { ...twoVariants['m/int8'], memoryBytes: int8 },
        };
        const fleet = aFleet([
          aDevice('small', { freeBytes: free, variants }),
          aDevice('large', { freeBytes: other, variants }),
        ]);
        const context = { ...aPolicy, nowMs: 1_000, wallMs: 1_000, random: seededRandom(1) };
        const plan = place(fleet, someWork({ choices }), context);
        const fits = [free, other].some((each) => Math.min(float32, int8) <= each);
        expect(plan.kind).toBe(fits ? 'placed' : 'unplaced');
        if (plan.kind === 'unplaced') return;
        const all = [plan.placement.chosen, ...plan.placement.others];
        for (const { device, variant } of all)
          expect(variant === 'int8' ? int8 : float32).toBeLessThanOrEqual(device === 'small' ? free : other);
      }),
      { numRuns: 1_000 },
    );
  });
});
