import type { Random } from '@shoal/protocol';
import type { PlacementCost } from '../domain/index.ts';
import type { Estimate } from './estimate.ts';
import type { Work } from './snapshot.ts';

/** A device that can take the work, with one choice of what it would run. */
export interface Candidate extends Estimate {
  /** Made when it is asked for: most strategies do not. */
  readonly cost: PlacementCost;
}

/** Decides between candidates. What is feasible is not its business: whatever it takes can do the work, and no battery goes below its floor. */
export interface Strategy {
  readonly name: string;
  /** When to use it, in one sentence, for people. */
  readonly summary: string;
  /** Whether devices that are passed over only because their model is not in memory are told to load it. */
  readonly warms?: boolean;
  /**
   * A score for each candidate: the least one is taken, of equals the quicker one, then any. Candidates of one device stand together.
   */
  scores(
    candidates: readonly Candidate[],
    context: { readonly work: Work; readonly random: Random },
  ): readonly number[];
}
