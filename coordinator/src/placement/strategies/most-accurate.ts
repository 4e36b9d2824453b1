import type { Strategy } from '../strategy.ts';

export const mostAccurate: Strategy = {
  name: 'most-accurate',
  summary: 'the most accurate model wherever it runs: what routing without a budget does, and the yardstick of ECORE',
  because: 'its model is the most accurate',
  scores: (candidates) => candidates.map(({ choice }) => -(choice?.accuracy ?? 0)),
};
