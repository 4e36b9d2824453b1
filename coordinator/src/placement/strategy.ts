import type { Random } from '@shoal/protocol';
import type { Candidate } from './candidate.ts';
import type { Work } from './snapshot.ts';

/** Works that are alike, and what one of them costs on each seat; infinite where it cannot be done. */
export interface SortOfWork {
  readonly count: number;
  readonly costs: readonly number[];
}

/** Decides between candidates. What is feasible is not its business: whatever it takes can do the work, and no battery goes below its floor. */
export interface Strategy {
  readonly name: string;
  /** When to use it, in one sentence, for people. */
  readonly summary: string;
  /** Why it took the device that it took, in words that follow `chosen:`. Left out: it goes by the terms of the cost. */
  readonly because?: string;
  /**
   * Its score is the cost. Then the candidates need not be listed: the least cost is searched for, which is quick in a fleet of any size, and devices that
   * are passed over only because their model is not in memory are told to load it.
   */
  readonly leastCost?: true;
  /**
   * A score for each candidate: the least one is taken, of equals the quicker one, then any. Candidates of one device stand together.
   */
  scores(
    candidates: readonly Candidate[],
    context: { readonly work: Work; readonly random: Random },
  ): readonly number[];
  /**
   * Decides for works that wait at the same moment, before each of them is placed: which of them takes which seat, a turn on a device. Each seat is for one
   * work. Left out: each work is placed by itself, as soon as it comes.
   * @returns for each sort, the seats of its works; fewer when there are not enough.
   */
  together?(sorts: readonly SortOfWork[]): readonly (readonly number[])[];
}
