import type { Fleet, GoalFleet } from '../fleet/index.ts';

/** What placement has to reach in the simulator: a scenario, and what is asked of it. */
export interface Goal {
  readonly name: string;
  readonly title: string;
  /** Runs it; takes minutes. */
  find(means: Means): readonly Finding[];
}

export interface Means {
  readonly fleets: Readonly<Record<GoalFleet, Fleet>>;
  /** Runs of each scenario and strategy: figures are medians over them. */
  readonly seeds: number;
  /** Told what is being run, and what is worth knowing besides. */
  say(text: string): void;
  /** Processor time of this process so far, ms. */
  cpuMs(): number;
}

export interface Finding {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
}

export function isMet({ value, limit }: Finding): boolean {
  return 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
}
