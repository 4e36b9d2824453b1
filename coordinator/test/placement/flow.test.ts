import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arc, cheapestFlow } from '../../src/placement/together/flow.ts';

/** Of all flows: how much reaches the sink at most, and what that costs at least. */
function bruteForce(nodes: number, arcs: readonly Arc[], source: number, sink: number) {
  let best = { amount: 0, cost: 0 };
  const flow = arcs.map(() => 0);
  const choose = (n: number): void => {
    const arc = arcs[n];
    if (arc) {
      for (let units = 0; units <= arc.capacity; units++) {
        flow[n] = units;
        choose(n + 1);
      }
      return;
    }
    const kept = balances(nodes, arcs, flow);
    if (kept.some((balance, node) => balance !== 0 && node !== source && node !== sink)) return;
    const [amount, cost] = [kept[sink] ?? 0, costOf(arcs, flow)];
    if (amount > best.amount || (amount === best.amount && cost < best.cost)) best = { amount, cost };
  };
  choose(0);
  return best;
}

/** What stays in each node. */
function balances(nodes: number, arcs: readonly Arc[], flow: readonly number[]): number[] {
  const kept = Array.from({ length: nodes }, () => 0);
  for (const [n, { from, to }] of arcs.entries()) {
    kept[from] = (kept[from] ?? 0) - (flow[n] ?? 0);
    kept[to] = (kept[to] ?? 0) + (flow[n] ?? 0);
  }
  return kept;
}

const costOf = (arcs: readonly Arc[], flow: readonly number[]) =>
  arcs.reduce((sum, { cost }, n) => sum + cost * (flow[n] ?? 0), 0);

const node = (nodes: number) => fc.integer({ min: 0, max: nodes - 1 });

describe('a flow of least cost', () => {
  it('is as large and as cheap as the best of all flows', () => {
    const network = fc.integer({ min: 2, max: 5 }).chain((nodes) => {
      const arc = fc.record({
        from: node(nodes),
        to: node(nodes),
        capacity: fc.integer({ min: 0, max: 2 }),
        cost: fc.integer({ min: 0, max: 9 }),
      });
      return fc.tuple(fc.constant(nodes), fc.array(arc, { maxLength: 8 }));
    });
    fc.assert(
      fc.property(network, ([nodes, arcs]) => {
        const flow = cheapestFlow(nodes, arcs, 0, 1);
        const kept = balances(nodes, arcs, flow);
        for (const [n, balance] of kept.entries()) if (n > 1) expect(balance).toBe(0);
        for (const [n, { capacity }] of arcs.entries())
          expect((flow[n] ?? -1) >= 0 && (flow[n] ?? 9) <= capacity).toBe(true);
        expect({ amount: kept[1], cost: costOf(arcs, flow) }).toEqual(bruteForce(nodes, arcs, 0, 1));
      }),
      { numRuns: 400 },
    );
  });

  it('takes back what it sent first, when another way round is cheaper for all', () => {
    // 2 gets the cheap seat 4 first, and leaves it to 3, which has no other.
    const arcs: readonly Arc[] = [
      { from: 0, to: 2, capacity: 1, cost: 0 },
      { from: 0, to: 3, capacity: 1, cost: 0 },
      { from: 2, to: 4, capacity: 1, cost: 1 },
      { from: 2, to: 5, capacity: 1, cost: 5 },
      { from: 3, to: 4, capacity: 1, cost: 2 },
      { from: 4, to: 1, capacity: 1, cost: 0 },
      { from: 5, to: 1, capacity: 1, cost: 0 },
    ];
    expect(cheapestFlow(6, arcs, 0, 1)).toEqual([1, 1, 0, 1, 1, 1, 1]);
  });
});
