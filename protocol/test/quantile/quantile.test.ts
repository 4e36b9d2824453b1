import { quantile } from '@shoal/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a quantile is the value of the nearest rank', () => {
  expect(quantile([3, 1, 2, 4], 0.5)).toBe(2);
  expect(quantile([3, 1, 2, 4], 0.95)).toBe(4);
  expect(quantile([5, 1, 3], 0)).toBe(1);
  expect(quantile([], 0.5)).toBe(0);
});

test('at least the share of the values does not exceed it, and no smaller value does as well', () => {
  const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (samples, share) => {
      const value = quantile(samples, share);
      const upTo = (bound: number) => samples.filter((sample) => sample <= bound).length / samples.length;
      const below = samples.filter((sample) => sample < value);
      expect(upTo(value)).toBeGreaterThanOrEqual(share);
      if (below.length > 0) expect(upTo(Math.max(...below))).toBeLessThan(share);
    }),
  );
});
