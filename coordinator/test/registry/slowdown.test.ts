import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { Slowdown } from '../../src/registry/slowdown.ts';

/** So many results, a second apart, that take so many times as long as usual. */
function observed(...periods: readonly { readonly factor: number; readonly results: number }[]): {
  readonly slowdown: Slowdown;
  readonly nowMs: number;
} {
  const slowdown = new Slowdown();
  let nowMs = 0;
  for (const { factor, results } of periods) {
    for (let n = 0; n < results; n++) {
      nowMs += 1_000;
      slowdown.observe(40 * factor, 40, nowMs);
    }
  }
  return { slowdown, nowMs };
}

describe('a device that is slower than usual', () => {
  it.each([0.3, 2, 5])('by a factor of %d is noticed within ten results', (factor) => {
    const { slowdown, nowMs } = observed({ factor, results: 10 });
    const found = slowdown.factor(nowMs);
    expect(Math.abs(Math.log(found / factor))).toBeLessThan(0.15 * Math.abs(Math.log(factor)));
  });

  it('is believed to be as usual again ten results after it is', () => {
    const { slowdown, nowMs } = observed({ factor: 4, results: 50 }, { factor: 1, results: 10 });
    expect(slowdown.factor(nowMs)).toBe(1);
  });

  it('is tried again when no results come: what was seen fades', () => {
    const { slowdown, nowMs } = observed({ factor: 4, results: 50 });
    const factors = [0, 30_000, 60_000, 300_000].map((ms) => slowdown.factor(nowMs + ms));
    expect(factors[0]).toBeGreaterThan(3.5);
    expect(factors[1]).toBeCloseTo(Math.sqrt(factors[0] ?? 0), 6);
    expect(factors[2]).toBeCloseTo((factors[0] ?? 0) ** 0.25, 6);
    expect(factors[3]).toBe(1);
  });

  it('is not taken for one by noise, nor for long by one result', () => {
    const random = seededRandom(1);
    const slowdown = new Slowdown();
    for (let n = 0; n < 200; n++) {
      slowdown.observe(40 * (0.9 + 0.2 * random.next()), 40, n * 100);
      expect(slowdown.factor(n * 100)).toBe(1);
    }
    slowdown.observe(400, 40, 20_100);
    for (let n = 0; n < 7; n++) slowdown.observe(40, 40, 20_200 + n);
    expect(slowdown.factor(20_210)).toBe(1);
  });

  it('says nothing of results that took no time', () => {
    const slowdown = new Slowdown();
    slowdown.observe(0, 40, 0);
    slowdown.observe(40, 0, 0);
    expect(slowdown.factor(0)).toBe(1);
  });
});
