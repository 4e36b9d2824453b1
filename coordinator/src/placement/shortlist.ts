import type { Random } from '@shoal/protocol';
import type { Candidate } from './candidate.ts';

/** The few candidates with the least scores, in order, without sorting a large fleet. Of equal scores the quicker one is first, then any. */
export class Shortlist {
  readonly #random: Random;
  readonly #most: number;
  readonly #scores: number[] = [];
  readonly #candidates: Candidate[] = [];
  #equals = 1;

  constructor(most: number, random: Random) {
    this.#most = most;
    this.#random = random;
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** The least score; infinite when there is none. */
  get least(): number {
    return this.#scores[0] ?? Number.POSITIVE_INFINITY;
  }

  /** A candidate with a greater score is not kept. */
  get limit(): number {
    return this.#scores.length < this.#most ? Number.POSITIVE_INFINITY : (this.#scores[this.#most - 1] as number);
  }

  /** @returns the candidate that is not kept, this one or another; `undefined` when all are. */
  offer(candidate: Candidate, score: number): Candidate | undefined {
    if (score === Number.POSITIVE_INFINITY || score > this.limit) return candidate;
    const place = this.#placeOf(candidate, score);
    if (place >= this.#most) return candidate;
    const fallen = this.#candidates.length === this.#most ? this.#candidates[this.#most - 1] : undefined;
    for (let i = Math.min(this.#candidates.length, this.#most - 1); i > place; i--) {
      this.#scores[i] = this.#scores[i - 1] as number;
      this.#candidates[i] = this.#candidates[i - 1] as Candidate;
    }
    this.#scores[place] = score;
    this.#candidates[place] = candidate;
    return fallen;
  }

  #placeOf({ runMs }: Candidate, score: number): number {
    let place = this.#candidates.length;
    while (place > 0 && this.#isBefore(score, runMs, place - 1)) place -= 1;
    if (place === 0) this.#equals = 1;
    else if (score === this.least && runMs === this.#candidates[0]?.runMs) {
      // Of n equals each comes first with a chance of 1/n.
      this.#equals += 1;
      if (this.#random.next() * this.#equals < 1) return 0;
    }
    return place;
  }

  #isBefore(score: number, runMs: number, place: number): boolean {
    const difference = score - (this.#scores[place] ?? 0);
    return difference < 0 || (difference === 0 && runMs < (this.#candidates[place]?.runMs ?? 0));
  }
}
