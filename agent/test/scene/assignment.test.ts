import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from '../../src/scene/assignment.ts';

describe('an assignment', () => {
  it('costs as little as the best of all that there are, leaving alone what costs too much', () => {
    const table = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([rows, columns]) =>
      fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
    fc.assert(
      fc.property(table, (costs) => {
        const most = 12;
        const pairs = assign(
          costs.map((row) => Float64Array.from(row)),
          most,
        );
        expect(new Set(pairs.map(([row]) => row)).size).toBe(pairs.length);
        expect(new Set(pairs.map(([, column]) => column)).size).toBe(pairs.length);
        const paired = pairs.reduce((sum, [row, column]) => sum + (costs[row]?.[column] ?? Number.NaN), 0);
        expect(paired + (costs.length - pairs.length) * most).toBe(cheapest(costs, most, 0, new Set()));
      }),
    );
  });

  it('gives nothing to nobody', () => {
    expect(assign([], 1)).toEqual([]);
    expect(assign([new Float64Array()], 1)).toEqual([]);
  });

  it('never makes a pair that is impossible', () => {
    expect(assign([Float64Array.of(Number.POSITIVE_INFINITY), Float64Array.of(0.5)], 1)).toEqual([[1, 0]]);
  });
});

/** Of all there are: each row with each column that is left, or alone. */
function cheapest(costs: readonly (readonly number[])[], most: number, row: number, taken: Set<number>): number {
  const own = costs[row];
  if (!own) return 0;
  let best = most + cheapest(costs, most, row + 1, taken);
  for (const [column, cost] of own.entries()) {
    if (taken.has(column)) continue;
    best = Math.min(best, cost + cheapest(costs, most, row + 1, new Set([...taken, column])));
  }
  return best;
}
