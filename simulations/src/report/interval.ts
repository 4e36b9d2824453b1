export interface Interval {
  readonly median: number;
  /** 95 % confidence interval of the median. */
  readonly low: number;
  readonly high: number;
}

/** The median of the samples, and between which of them the true one lies with 95 % confidence (order statistics, binomial). */
export function interval(samples: readonly number[]): Interval {
  const sorted = samples.toSorted((a, b) => a - b);
  const n = sorted.length;
  const middle = n % 2 === 1 ? (sorted[n >> 1] ?? 0) : ((sorted[n / 2 - 1] ?? 0) + (sorted[n / 2] ?? 0)) / 2;
  let rank = 0;
  // The chance that the true median lies outside of the ranks is twice that of so few samples below it.
  for (let below = 0, chance = 0.5 ** n; 2 * (below + chance) <= 0.05 && rank < n >> 1; rank++) {
    below += chance;
    chance = (chance * (n - rank)) / (rank + 1);
  }
  const low = Math.max(0, rank - 1);
  return { median: middle, low: sorted[low] ?? 0, high: sorted[n - 1 - low] ?? 0 };
}
