import { goalFleets } from '../fleet/index.ts';
import type { Goal } from './goal.ts';
import { medianOf, ratioOf, runs, startHour } from './runs.ts';

/** Virtual hours: enough for a few dozen bursts, and for loading models to be little of the whole. */
const hours = 0.5;

/** Bursts with deadlines: what is missed and what is drawn, against ECORE. */
export const bursts: Goal = {
  name: 'bursts',
  title: 'home, shop and city with their bursts and deadlines: misses and energy against ECORE',
  find(means) {
    return goalFleets.flatMap((name) => {
      const fleet = means.fleets[name];
      const ecore = runs(fleet, 'ecore', { hours, startHour }, means);
      const cost = runs(fleet, 'cost', { hours, startHour }, means);
      const missed = (outcomes: typeof cost) => (100 * medianOf(outcomes, (outcome) => outcome.missed)).toFixed(2);
      means.say(`${name}: ${missed(cost)} % missed under cost, ${missed(ecore)} % under ecore`);
      return [
        {
          name: `${name}: misses, over those of ecore`,
          value: ratioOf(cost, ecore, (outcome) => outcome.missed),
          unit: 'x',
          limit: { atMost: 0.5 },
        },
        {
          name: `${name}: energy, over that of ecore`,
          value: ratioOf(cost, ecore, ({ joulesPerTask }) => joulesPerTask),
          unit: 'x',
          limit: { atMost: 1 },
        },
      ];
    });
  },
};
