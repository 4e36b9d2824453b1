import { strategies } from '@shoal/coordinator';
import { simulate } from '../coarse/index.ts';
import { goalFleets } from '../fleet/index.ts';
import { interval } from '../report/index.ts';
import type { Goal, Means } from './goal.ts';
import { startHour } from './runs.ts';

/** Each takes as long as ten of the other goals: so many seeds at most. */
const mostSeeds = 3;
/** Time in which least-loaded takes some battery to its floor, hours. */
const longestHours = 6;
/** The default strategy is run for so many times as long. */
const atLeast = 1.3;
const margin = 1.1;
const hourMs = 3_600_000;
/** Runs in which every strategy may show whether it pushes a device under its floor, hours. */
const pushHours = 0.1;

/** How long batteries last, and that work takes none below its floor. */
export const batteries: Goal = {
  name: 'batteries',
  title: 'city: time to the first battery at its floor against least-loaded; every fleet: none pushed below it',
  find(means) {
    const each = Array.from({ length: Math.min(mostSeeds, means.seeds) }, (_, index) => lasting(index + 1, means));
    const median = (figure: (one: (typeof each)[number]) => number) => interval(each.map(figure)).median;
    const pushed = pushedByAny(means) + each.reduce((sum, one) => sum + one.pushed, 0);
    return [
      {
        name: 'city: first battery at its floor, over least-loaded',
        value: median(({ ratio }) => ratio),
        unit: 'x',
        limit: { atLeast },
      },
      {
        name: 'city: misses, over those of least-loaded',
        value: median(({ missed }) => missed),
        unit: 'x',
        limit: { atMost: 1 },
      },
      { name: 'devices pushed below their floor, all runs', value: pushed, unit: '', limit: { atMost: 0 } },
    ];
  },
};

function lasting(seed: number, { fleets, say }: Means) {
  const fleet = fleets.city;
  const plain = simulate({ fleet, strategy: 'least-loaded', seed, hours: longestHours, startHour });
  if (plain.firstAtFloorMs === undefined) throw new Error(`no battery is at its floor within ${longestHours} h`);
  const hours = (plain.firstAtFloorMs / hourMs) * atLeast * margin;
  const cost = simulate({ fleet, strategy: 'cost', seed, hours, startHour });
  const lastedMs = cost.firstAtFloorMs ?? cost.virtualMs;
  const isLonger = cost.firstAtFloorMs === undefined ? 'more than ' : '';
  const text = (ms: number) => `${(ms / hourMs).toFixed(2)} h`;
  say(
    `city, seed ${seed}: the first battery is at its floor after ${text(plain.firstAtFloorMs)} under least-loaded, after ${isLonger}${text(lastedMs)} under cost`,
  );
  return {
    ratio: lastedMs / plain.firstAtFloorMs,
    missed: cost.missed / plain.missed,
    pushed: plain.pushedUnderFloor + cost.pushedUnderFloor,
  };
}

/** Batteries start just above their floors. */
function pushedByAny({ fleets, say }: Means): number {
  let pushed = 0;
  for (const name of goalFleets) {
    const fleet = fleets[name];
    const low = {
      ...fleet,
      devices: fleet.devices.map(({ battery, ...group }) => ({
        ...group,
        ...(battery && { battery: { ...battery, levelPct: battery.floorPct + 2, spreadPct: 1 } }),
      })),
    };
    say(`${name}, batteries two percent above their floors, under every strategy`);
    for (const { name: strategy } of strategies)
      pushed += simulate({ fleet: low, strategy, seed: 1, hours: pushHours, startHour }).pushedUnderFloor;
  }
  return pushed;
}
