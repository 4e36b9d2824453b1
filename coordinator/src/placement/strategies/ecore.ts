import type { Strategy } from '../strategy.ts';

/** Accuracy that may be given up for energy: the published setting (mAP points). */
const delta = 0.05;

/**
 * ECORE's greedy router (arXiv 2507.06011): of the pairs of device and model whose accuracy, for pictures with so many objects, is within `delta` of the
 * best, the one that takes the least energy. Queues, batteries and deadlines are not looked at.
 */
export const ecore: Strategy = {
  name: 'ecore',
  summary:
    'least energy within 5 points of the best accuracy, blind to queues, batteries and deadlines (arXiv 2507.06011)',
  because: 'it takes the least energy of those that are within five points of the best accuracy',
  scores(candidates) {
    const best = candidates.reduce((most, { choice }) => Math.max(most, choice?.accuracy ?? 0), 0);
    return candidates.map(({ choice, energyJ }) =>
      (choice?.accuracy ?? 0) >= best - delta ? energyJ : Number.POSITIVE_INFINITY,
    );
  },
};
