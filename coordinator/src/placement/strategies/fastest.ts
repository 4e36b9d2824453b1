import type { Strategy } from '../strategy.ts';

export const fastest: Strategy = {
  name: 'fastest',
  summary: 'the device that runs it quickest, however long its queue: for one task at a time',
  because: 'it runs its model in the least time',
  scores: (candidates) => candidates.map(({ runMs }) => runMs),
};
