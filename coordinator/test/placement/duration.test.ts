import { seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOver, exactly, fromQuantiles, p95Ms, slowed, sum } from '../../src/placement/duration.ts';

/** The two things that going over a limit costs, each by itself. */
const latenessMs = (meanMs: number, varianceMs2: number, limitMs: number) =>
  costOver(meanMs, varianceMs2, limitMs, 1, 0);
const chanceOver = (meanMs: number, varianceMs2: number, limitMs: number) =>
  costOver(meanMs, varianceMs2, limitMs, 0, 1);

const anyQuantiles = fc
  .tuple(fc.double({ min: 0.5, max: 5_000, noNaN: true }), fc.double({ min: 1.01, max: 4, noNaN: true }))
  .map(([p50, factor]) => ({ p50, p95: p50 * factor }));

/** The log-normal of that mean and variance, integrated over 20,000 equal parts of its probability by its quantiles. */
function integrate(meanMs: number, varianceMs2: number, of: (ms: number) => number): number {
  const sigma2 = Math.log(1 + varianceMs2 / meanMs ** 2);
  const [mu, sigma] = [Math.log(meanMs) - sigma2 / 2, Math.sqrt(sigma2)];
  const [from, to, parts] = [-8, 8, 20_000];
  const width = (to - from) / parts;
  let total = 0;
  for (let part = 0; part < parts; part++) {
    const z = from + (part + 0.5) * width;
    total += (of(Math.exp(mu + sigma * z)) * Math.exp((-z * z) / 2) * width) / Math.sqrt(2 * Math.PI);
  }
  return total;
}

describe('a duration', () => {
  it('has the quantiles it was made from', () => {
    fc.assert(
      fc.property(anyQuantiles, ({ p50, p95 }) => {
        const { meanMs, varianceMs2 } = fromQuantiles(p50, p95);
        expect(p95Ms(meanMs, varianceMs2)).toBeCloseTo(p95, 3);
        expect(chanceOver(meanMs, varianceMs2, p50)).toBeCloseTo(0.5, 5);
        expect(chanceOver(meanMs, varianceMs2, p95)).toBeCloseTo(0.05, 3);
      }),
    );
  });

  it('is as late as the integral over its density says', () => {
    fc.assert(
      fc.property(anyQuantiles, fc.double({ min: 0.3, max: 5, noNaN: true }), ({ p50, p95 }, factor) => {
        const { meanMs, varianceMs2 } = fromQuantiles(p50, p95);
        const limitMs = meanMs * factor;
        const lateMs = integrate(meanMs, varianceMs2, (ms) => Math.max(0, ms - limitMs));
        const chance = integrate(meanMs, varianceMs2, (ms) => (ms > limitMs ? 1 : 0));
        expect(Math.abs(latenessMs(meanMs, varianceMs2, limitMs) - lateMs)).toBeLessThan(meanMs * 1e-4);
        // The step of the integrand falls into one of the parts.
        expect(Math.abs(chanceOver(meanMs, varianceMs2, limitMs) - chance)).toBeLessThan(1e-3);
      }),
      { numRuns: 50 },
    );
  });

  it('adds up as samples do, also in the tail', () => {
    const random = seededRandom(1);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    const sample = (p50: number, p95: number) => p50 * Math.exp((Math.log(p95 / p50) / 1.6449) * normal());
    const { meanMs, varianceMs2 } = sum(fromQuantiles(100, 160), fromQuantiles(60, 120));
    const samples = Array.from({ length: 100_000 }, () => sample(100, 160) + sample(60, 120));
    const over = (limitMs: number) => samples.filter((ms) => ms > limitMs).length / samples.length;
    for (const limitMs of [150, 200, 260])
      expect(chanceOver(meanMs, varianceMs2, limitMs)).toBeCloseTo(over(limitMs), 2);
  });

  it('without variance is late or is not', () => {
    expect([99, 100, 101].map((limitMs) => chanceOver(100, 0, limitMs))).toEqual([1, 0, 0]);
    expect([90, 100, 110].map((limitMs) => latenessMs(100, 0, limitMs))).toEqual([10, 0, 0]);
    expect(p95Ms(100, 0)).toBe(100);
  });

  it('is surely late when the time is up already', () => {
    expect(chanceOver(100, 25, -20)).toBe(1);
    expect(latenessMs(100, 25, -20)).toBe(120);
  });

  it('costs what being late and being over the limit at all cost together', () => {
    const { meanMs, varianceMs2 } = fromQuantiles(100, 160);
    for (const limitMs of [-10, 50, 120, 300])
      expect(costOver(meanMs, varianceMs2, limitMs, 3, 7)).toBeCloseTo(
        3 * latenessMs(meanMs, varianceMs2, limitMs) + 7 * chanceOver(meanMs, varianceMs2, limitMs),
        9,
      );
  });

  it('on something slower has the same shape', () => {
    const { meanMs, varianceMs2 } = fromQuantiles(10, 14);
    const twice = slowed({ meanMs, varianceMs2 }, 2);
    expect(p95Ms(twice.meanMs, twice.varianceMs2)).toBeCloseTo(28, 6);
  });

  it('with a 95th percentile below its median is that median, exactly', () => {
    expect(fromQuantiles(10, 5)).toEqual(exactly(10));
  });
});
