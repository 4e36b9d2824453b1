/**
 * The smallest value that at least the share `share` (0..1) of the values do not exceed (nearest rank); 0 of none. It is what a profile means by p50
 * and p95.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
