import type { FuzzTarget } from '@shoal/protocol/testing';
import { caseOf } from './cases.ts';
import { type Failure, judge } from './judge.ts';

export interface Cases {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

export interface Found {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly failure: Failure;
}

export interface Tally {
  ran: number;
  taken: number;
  /** By code. */
  readonly refused: Map<string, number>;
  /** One of each kind. */
  readonly found: Found[];
}

/** Gives a target its inputs of these numbers, one after the other. */
export async function runCases(
  target: FuzzTarget,
  { seed, first, count }: Cases,
  before: (number: number) => void = () => {},
): Promise<Tally> {
  const tally: Tally = { ran: 0, taken: 0, refused: new Map(), found: [] };
  for (let number = first; number < first + count; number++) {
    before(number);
    const bytes = caseOf(target, seed, number);
    const verdict = await judge(target, bytes);
    tally.ran += 1;
    if (verdict.kind === 'taken') tally.taken += 1;
    else if (verdict.kind === 'refused') tally.refused.set(verdict.code, (tally.refused.get(verdict.code) ?? 0) + 1);
    else if (!tally.found.some(({ failure }) => failure.sign === verdict.failure.sign))
      tally.found.push({ number, bytes, failure: verdict.failure });
  }
  return tally;
}
