import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { fromQuantiles } from '../../src/placement/index.ts';
import { RunHistory } from '../../src/registry/run-history.ts';

function historyOf(saidMs: number | undefined, runsMs: readonly number[] = []): RunHistory {
  const history = new RunHistory();
  if (saidMs !== undefined) history.expect(fromQuantiles(saidMs, saidMs * 1.2));
  for (const [n, ms] of runsMs.entries()) history.add(ms, n);
  return history;
}

describe('what a variant takes on a device', () => {
  it('is not known before it ran or was measured', () => {
    expect(historyOf(undefined).duration).toBeUndefined();
    expect(historyOf(undefined, [20]).duration?.meanMs).toBe(20);
  });

  it('is what was said until it ran', () => {
    expect(historyOf(50).duration).toEqual(fromQuantiles(50, 60));
  });

  it('comes nearer to what is seen with each run, on a scale of factors', () => {
    const means = [1, 2, 3, 4, 5].map((count) => historyOf(10, Array(count).fill(1_000)).duration?.meanMs ?? 0);
    // A fifth of the way from one to two zeros with each.
    for (const [n, mean] of means.entries()) expect(Math.log10(mean)).toBeCloseTo(1 + (2 * (n + 1)) / 5, 1);
    expect(means[4]).toBe(1_000);
  });

  it.each([0.01, 100])('recovers within five runs from a measurement that is off by %d', (factor) => {
    expect(historyOf(30 * factor, Array(5).fill(30)).duration?.meanMs).toBeCloseTo(30, 6);
  });

  it('is what was seen as soon as one run was ten times as quick as was said: that is no chance', () => {
    expect(historyOf(3_000, [30]).duration?.meanMs).toBe(30);
    expect(historyOf(200, [30]).duration?.meanMs).toBeGreaterThan(100);
  });

  it('has the spread that was seen', () => {
    const random = seededRandom(1);
    const runs = Array.from({ length: 32 }, () => 100 * (0.8 + 0.4 * random.next()));
    const { meanMs = 0, varianceMs2 = 0 } = historyOf(undefined, runs).duration ?? {};
    expect(meanMs).toBeGreaterThan(90);
    expect(meanMs).toBeLessThan(110);
    expect(Math.sqrt(varianceMs2)).toBeGreaterThan(5);
    expect(Math.sqrt(varianceMs2)).toBeLessThan(20);
  });

  it('forgets runs of long ago', () => {
    expect(historyOf(10, [...Array(100).fill(500), ...Array(32).fill(20)]).duration?.meanMs).toBe(20);
  });

  it('is not spoilt by one run that took far too long', () => {
    expect(historyOf(10, [...Array(31).fill(10), 60_000]).duration?.meanMs).toBeLessThan(11);
  });

  it('remembers when it ran last', () => {
    expect(historyOf(10).lastRunMs).toBeUndefined();
    expect(historyOf(10, [5, 5, 5]).lastRunMs).toBe(2);
  });
});
