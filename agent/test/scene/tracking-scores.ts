import type { Box } from '@shoal/models';
import { assign } from '../../src/scene/assignment.ts';
import { overlap } from '../../src/scene/geometry.ts';

/** Who is where on one picture. */
export type Placed = { readonly id: number; readonly box: Box };

export interface TrackingScores {
  /** 1 - (missed + made up + switched) / true (Bernardin and Stiefelhagen 2008). */
  readonly mota: number;
  /** Harmonic mean of how many of the true and of the found boxes carry the right identity (Ristani et al. 2016). */
  readonly idf1: number;
  readonly switches: number;
  readonly missed: number;
  readonly madeUp: number;
}

const leastOverlap = 0.5;

/** Scores of what was found against what is true, picture by picture. */
export function trackingScores(
  truth: readonly (readonly Placed[])[],
  found: readonly (readonly Placed[])[],
): TrackingScores {
  let [missed, madeUp, switches, trueBoxes, foundBoxes] = [0, 0, 0, 0, 0];
  const lastMatch = new Map<number, number>();
  const together = new Map<string, number>();
  for (const [i, real] of truth.entries()) {
    const seen = found[i] ?? [];
    trueBoxes += real.length;
    foundBoxes += seen.length;
    const costs = real.map((a) =>
      Float64Array.from(seen, (b) => {
        const shared = overlap(a.box, b.box);
        if (shared < leastOverlap) return Number.POSITIVE_INFINITY;
        // Who was matched before stays so as long as that holds.
        return lastMatch.get(a.id) === b.id ? 0 : 0.001 + 1 - shared;
      }),
    );
    const pairs = assign(costs, 0.999);
    missed += real.length - pairs.length;
    madeUp += seen.length - pairs.length;
    for (const [row, column] of pairs) {
      const [a, b] = [real[row] as Placed, seen[column] as Placed];
      const before = lastMatch.get(a.id);
      if (before !== undefined && before !== b.id) switches += 1;
      lastMatch.set(a.id, b.id);
    }
    for (const a of real)
      for (const b of seen)
        if (overlap(a.box, b.box) >= leastOverlap)
          together.set(`${a.id} ${b.id}`, (together.get(`${a.id} ${b.id}`) ?? 0) + 1);
  }
  const right = identitiesRight(together);
  return {
    mota: 1 - (missed + madeUp + switches) / trueBoxes,
    idf1: (2 * right) / (trueBoxes + foundBoxes),
    switches,
    missed,
    madeUp,
  };
}

/** The most boxes that can carry the right identity when each true one is given one found one. */
function identitiesRight(together: ReadonlyMap<string, number>): number {
  const pairs = [...together].map(([key, count]) => [...key.split(' ').map(Number), count] as [number, number, number]);
  const trues = [...new Set(pairs.map(([a]) => a))];
  const founds = [...new Set(pairs.map(([, b]) => b))];
  const most = Math.max(0, ...together.values());
  const costs = trues.map((a) => Float64Array.from(founds, (b) => most - (together.get(`${a} ${b}`) ?? 0)));
  return assign(costs, most).reduce(
    (sum, [row, column]) => sum + (together.get(`${trues[row]} ${founds[column]}`) ?? 0),
    0,
  );
}
