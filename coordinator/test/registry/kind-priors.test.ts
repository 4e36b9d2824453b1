import type { VariantProfile } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { KindPriors } from '../../src/registry/kind-priors.ts';

function measured(p50Ms: number, variant = 'int8'): readonly VariantProfile[] {
  return [
    {
      model: 'm',
      variant,
      sha256: new Uint8Array(32),
      engine: '',
      p50Ms,
      p95Ms: 1.5 * p50Ms,
      loadMs: 0,
      memoryBytes: 0,
      energyMj: null,
      samples: 1,
      confidence: 1,
      measuredAtMs: 0,
    },
  ];
}

function priorsOf(...p50Ms: readonly number[]): KindPriors {
  const priors = new KindPriors();
  for (const each of p50Ms) priors.count('pi', measured(each), 1);
  return priors;
}

describe('what devices of a kind measured', () => {
  it('counts once there are three', () => {
    expect(priorsOf(10, 10).find('pi', 'm', 'int8')).toBeUndefined();
    expect(priorsOf(10, 10, 10).find('pi', 'm', 'int8')?.meanMs).toBeCloseTo(10.3, 1);
  });

  it('is the middle of factors, which one that is far off hardly moves', () => {
    const most = priorsOf(...Array(20).fill(10)).find('pi', 'm', 'int8')?.meanMs ?? 0;
    const withLiar = priorsOf(...Array(20).fill(10), 1_000).find('pi', 'm', 'int8')?.meanMs ?? 0;
    expect(withLiar / most).toBeLessThan(1.3);
  });

  it('is of that kind and that variant alone', () => {
    const priors = priorsOf(10, 10, 10);
    expect(priors.find('jetson', 'm', 'int8')).toBeUndefined();
    expect(priors.find('pi', 'm', 'float32')).toBeUndefined();
    expect(priors.find('pi', 'other', 'int8')).toBeUndefined();
  });

  it('is taken out again as it was taken in', () => {
    const priors = priorsOf(10, 10, 10, 500);
    priors.count('pi', measured(500), -1);
    expect(priors.find('pi', 'm', 'int8')?.meanMs).toBeCloseTo(
      priorsOf(10, 10, 10).find('pi', 'm', 'int8')?.meanMs ?? 0,
      6,
    );
    priors.count('pi', measured(10), -1);
    expect(priors.find('pi', 'm', 'int8')).toBeUndefined();
  });

  it('leaves out what is no time', () => {
    const priors = priorsOf(10, 10, 10);
    priors.count('pi', measured(0), 1);
    priors.count('pi', measured(Number.NaN), 1);
    expect(priors.find('pi', 'm', 'int8')?.meanMs).toBeCloseTo(10.3, 1);
  });
});
