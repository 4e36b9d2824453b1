import type { Fleet } from '../fleet/index.ts';
import type { Finding, Goal } from './goal.ts';
import { medianOf, ratioOf, runs, startHour } from './runs.ts';

const hours = 0.5;

/**
 * What ECORE published against the most accurate model wherever it runs (arXiv 2507.06011), with our own ECORE; and the default strategy. How much it is
 * depends on the pictures: seven of ten of the shop's show many things, on which the lighter models lose little. Where six of ten show few, they
 * lose more than five points there, and latency falls by 43 % instead.
 */
export const energy: Goal = {
  name: 'energy',
  title: 'shop, its steady work without deadlines: energy and latency against accuracy-greedy routing',
  find(means) {
    const fleet = steady(means.fleets.shop);
    const span = { hours, startHour };
    const greedy = runs(fleet, 'most-accurate', span, means);
    const pointsLost = (outcomes: typeof greedy) =>
      100 * (medianOf(greedy, ({ accuracy }) => accuracy) - medianOf(outcomes, ({ accuracy }) => accuracy));
    const ecore = runs(fleet, 'ecore', span, means);
    const cost = runs(fleet, 'cost', span, means);
    const against = (name: string, outcomes: typeof greedy): readonly Finding[] => [
      {
        name: `${name}: energy less than greedy`,
        value: 100 * (1 - ratioOf(outcomes, greedy, ({ joulesPerTask }) => joulesPerTask)),
        unit: '%',
        limit: { atLeast: 35 },
      },
      {
        name: `${name}: latency less than greedy`,
        value: 100 * (1 - ratioOf(outcomes, greedy, ({ latencyMs }) => latencyMs.mean)),
        unit: '%',
        limit: { atLeast: 49 },
      },
      { name: `${name}: mAP lost`, value: pointsLost(outcomes), unit: 'points', limit: { atMost: 2 } },
    ];
    return [
      ...against('ecore', ecore),
      ...against('cost', cost),
      {
        name: 'cost: energy, over that of ecore',
        value: ratioOf(cost, ecore, ({ joulesPerTask }) => joulesPerTask),
        unit: 'x',
        limit: { atMost: equal },
      },
      {
        name: 'cost: latency, over that of ecore',
        value: ratioOf(cost, ecore, ({ latencyMs }) => latencyMs.mean),
        unit: 'x',
        limit: { atMost: equal },
      },
      {
        name: 'cost: mAP, below that of ecore',
        value: pointsLost(cost) - pointsLost(ecore),
        unit: 'points',
        limit: { atMost: 0.1 },
      },
    ];
  },
};

/** Where two strategies choose the same, chance alone tells them apart by a part in two hundred. */
const equal = 1.005;

function steady(fleet: Fleet): Fleet {
  const workloads = fleet.workloads
    .filter(({ perSecond }) => perSecond > 0)
    .map(({ burst: _, deadlineMs: __, ...workload }) => workload);
  return { ...fleet, workloads };
}
