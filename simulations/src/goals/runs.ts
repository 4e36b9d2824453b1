import { type Outcome, type Scenario, simulate } from '../coarse/index.ts';
import type { Fleet } from '../fleet/index.ts';
import { interval } from '../report/index.ts';
import type { Means } from './goal.ts';

/** One outcome for each seed. */
export function runs(
  fleet: Fleet,
  strategy: string,
  span: Pick<Scenario, 'hours' | 'startHour'>,
  { seeds, say }: Means,
): readonly Outcome[] {
  say(`${fleet.name} under ${strategy}, ${seeds} x ${span.hours} h`);
  return Array.from({ length: seeds }, (_, index) => simulate({ fleet, strategy, seed: index + 1, ...span }));
}

export function medianOf(outcomes: readonly Outcome[], figure: (outcome: Outcome) => number): number {
  return interval(outcomes.map(figure)).median;
}

/** Of two strategies over the same seeds: the median of one over that of the other. */
export function ratioOf(
  some: readonly Outcome[],
  others: readonly Outcome[],
  figure: (outcome: Outcome) => number,
): number {
  return medianOf(some, figure) / medianOf(others, figure);
}

/** Evening: no sun, and phones are not on their chargers yet. */
export const startHour = 18;
