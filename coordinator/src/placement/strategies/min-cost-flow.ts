import type { Strategy } from '../strategy.ts';
import { type Arc, cheapestFlow } from '../together/flow.ts';
import { cost } from './cost.ts';

const source = 0;
const sink = 1;
const firstSort = 2;

export const minCostFlow: Strategy = {
  name: 'min-cost-flow',
  summary: 'the costs of `cost`, but what comes in within 4 ms is placed together: for bursts on few devices',
  leastCost: true,
  scores: cost.scores,
  together(sorts) {
    const seats = sorts[0]?.costs.length ?? 0;
    const firstSeat = firstSort + sorts.length;
    const arcs: Arc[] = [];
    for (let seat = 0; seat < seats; seat++) arcs.push({ from: firstSeat + seat, to: sink, capacity: 1, cost: 0 });
    for (const [n, { count, costs }] of sorts.entries()) {
      arcs.push({ from: source, to: firstSort + n, capacity: count, cost: 0 });
      for (const [seat, cost] of costs.entries())
        if (cost < Number.POSITIVE_INFINITY)
          arcs.push({ from: firstSort + n, to: firstSeat + seat, capacity: 1, cost });
    }
    const flow = cheapestFlow(firstSeat + seats, arcs, source, sink);
    const taken = sorts.map((): number[] => []);
    for (const [n, { from, to }] of arcs.entries())
      if (flow[n] === 1 && to >= firstSeat) taken[from - firstSort]?.push(to - firstSeat);
    return taken;
  },
};
