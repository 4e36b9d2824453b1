import type { PeerId, Random } from '@shoal/protocol';
import type { Candidate } from './candidate.ts';
import { type CostContext, totalCostWithin } from './cost.ts';
import { Shortlist } from './shortlist.ts';
import type { Work } from './snapshot.ts';
import type { Strategy } from './strategy.ts';

/** A variant that a device should have in memory. */
export interface Warmth {
  readonly device: PeerId;
  readonly model: string;
  readonly variant: string;
}

/** What a search keeps of the candidates that it comes across. */
export interface Finds {
  readonly isEmpty: boolean;
  /** The least cost so far; infinite when that is not asked for, or there is none. */
  readonly least: number;
  /** @returns a candidate that is not kept and may be written anew; `undefined`: all are kept. */
  add(candidate: Candidate): Candidate | undefined;
  /** The best, in order. */
  best(): readonly Candidate[];
  /** A device that would cost less than the best one, had it only its model in memory. */
  warm(): Warmth | undefined;
}

/** Keeps those that cost least. */
export class CheapestFinds implements Finds {
  readonly #cost: CostContext;
  readonly #shortlist: Shortlist;
  #warm: Warmth | undefined;
  #warmCost = Number.POSITIVE_INFINITY;

  /** @param most so many of them. */
  constructor(cost: CostContext, random: Random, most: number) {
    this.#cost = cost;
    this.#shortlist = new Shortlist(most, random);
  }

  get isEmpty(): boolean {
    return this.#shortlist.candidates.length === 0;
  }

  get least(): number {
    return this.#shortlist.least;
  }

  add(candidate: Candidate): Candidate | undefined {
    if (candidate.loadMs > 0) this.#ifWarm(candidate);
    return this.#shortlist.offer(candidate, totalCostWithin(this.#shortlist.limit, candidate, this.#cost));
  }

  best(): readonly Candidate[] {
    return this.#shortlist.candidates;
  }

  warm(): Warmth | undefined {
    return this.#warmCost < this.least ? this.#warm : undefined;
  }

  #ifWarm(candidate: Candidate): void {
    const { device, choice, totalMs, loadMs } = candidate;
    const limit = Math.min(this.#warmCost, this.least);
    candidate.totalMs = totalMs - loadMs;
    const cost = totalCostWithin(limit, candidate, this.#cost);
    candidate.totalMs = totalMs;
    if (!choice || cost >= limit) return;
    this.#warmCost = cost;
    this.#warm = { device: device.id, model: choice.model, variant: choice.variant.name };
  }
}

/** Keeps all, for a strategy to score. */
export class ListedFinds implements Finds {
  readonly least = Number.POSITIVE_INFINITY;
  readonly #strategy: Strategy;
  readonly #work: Work;
  readonly #random: Random;
  readonly #most: number;
  readonly #candidates: Candidate[] = [];

  /** @param most so many of the best are told. */
  constructor(strategy: Strategy, work: Work, random: Random, most: number) {
    this.#strategy = strategy;
    this.#work = work;
    this.#random = random;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#candidates.length === 0;
  }

  add(candidate: Candidate): undefined {
    this.#candidates.push(candidate);
  }

  best(): readonly Candidate[] {
    const scores = this.#strategy.scores(this.#candidates, { work: this.#work, random: this.#random });
    const shortlist = new Shortlist(this.#most, this.#random);
    for (const [i, candidate] of this.#candidates.entries())
      shortlist.offer(candidate, scores[i] ?? Number.POSITIVE_INFINITY);
    return shortlist.candidates;
  }

  warm(): undefined {}
}
