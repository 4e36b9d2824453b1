import type { FuzzTarget } from '@shoal/protocol/testing';
import type { Cases, Tally } from './run-cases.ts';

/** What one process is given to do at a time. */
export interface Batch extends Cases {
  /** Name of the target. */
  readonly target: string;
}

/** What it says when it has done it. */
export interface Report {
  readonly ran: number;
  readonly taken: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly failures: readonly FailureReport[];
  /** By how much more memory is in use than before the batch, bytes. */
  readonly grownBytes: number;
  readonly residentBytes: number;
}

export interface FailureReport {
  readonly number: number;
  readonly sign: string;
  readonly why: string;
  /** The shortest input that was found to fail so. */
  readonly hex: string;
}

const inputsEach = 20_000;

/** The work in pieces, those of one target far from each other: whoever is interrupted has seen something of each. */
export function batchesOf(shares: ReadonlyMap<FuzzTarget, number>, seed: number): Batch[] {
  const batches: Batch[] = [];
  for (const [{ name, cost = 1 }, share] of shares) {
    const most = Math.max(20, Math.round(inputsEach / cost));
    for (let first = 0; first < share; first += most)
      batches.push({ target: name, seed, first, count: Math.min(most, share - first) });
  }
  return batches.sort((a, b) => a.first / a.count - b.first / b.count);
}

export function reportOf(tally: Tally, failures: readonly FailureReport[], grownBytes: number): Report {
  const { ran, taken, refused } = tally;
  const residentBytes = process.memoryUsage.rss();
  return { ran, taken, refused: Object.fromEntries(refused), failures, grownBytes, residentBytes };
}
