import type { PeerId, Random } from '@shoal/protocol';
import type { CostWeights } from './cost-weights.ts';
import type { PlacementLimits } from './snapshot.ts';
import type { Strategy } from './strategy.ts';

/** How an operator wants work placed. */
export interface PlacementPolicy {
  readonly limits: PlacementLimits;
  readonly strategy: Strategy;
  readonly weights: CostWeights;
}

export interface PlacementContext extends PlacementPolicy {
  /** Monotonic, ms. */
  readonly nowMs: number;
  /** Wall clock, for what happens at a time of the day; ms since the Unix epoch. */
  readonly wallMs: number;
  readonly random: Random;
  /** A device that would be too slow by what it says may be tried, when no run of it has shown that: it may be wrong. */
  readonly mayTry?: boolean;
  /** Where the work runs now, when it is looked at anew. */
  readonly current?: PeerId;
  /** The device that was decided on for it together with other work. */
  readonly assigned?: PeerId;
}
