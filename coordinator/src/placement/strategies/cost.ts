import type { Strategy } from '../strategy.ts';

export const cost: Strategy = {
  name: 'cost',
  summary: 'the default: least sum of lateness, energy at its price, accuracy given up, scarce accelerators and moving',
  leastCost: true,
  scores: (candidates) => candidates.map((candidate) => candidate.cost.total),
};
