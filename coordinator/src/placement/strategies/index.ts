import { ShoalError } from '@shoal/protocol';
import type { Strategy } from '../strategy.ts';
import { cost } from './cost.ts';
import { ecore } from './ecore.ts';
import { fastest } from './fastest.ts';
import { hashAffinity } from './hash-affinity.ts';
import { leastLoaded } from './least-loaded.ts';
import { minCostFlow } from './min-cost-flow.ts';
import { mostAccurate } from './most-accurate.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { weighted } from './weighted.ts';

/** In the order in which people are shown them. */
export const strategies: readonly Strategy[] = [
  cost,
  minCostFlow,
  roundRobin,
  random,
  leastLoaded,
  weighted,
  hashAffinity,
  powerOfTwo,
  fastest,
  mostAccurate,
  ecore,
];

/** @throws `input.invalid` with the names there are. */
export function strategyNamed(name: string): Strategy {
  const found = strategies.find((strategy) => strategy.name === name);
  if (found) return found;
  const known = strategies.map((strategy) => strategy.name).join(', ');
  throw new ShoalError(
    'input.invalid',
    `there is no strategy ${JSON.stringify(name.slice(0, 64))}; known are ${known}`,
    {
      field: 'strategy',
    },
  );
}
