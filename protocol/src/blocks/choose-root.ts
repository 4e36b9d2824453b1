import { fromHex, toHex } from '../bytes/index.ts';
import type { Holdings } from './block-messages.ts';

interface Votes {
  whole: number;
  all: number;
}

/**
 * Which list of pieces to go by: the one that most vouch for who have the whole file; where nobody has, the one that most have pieces of.
 * @param excluded roots, hex, that turned out to be of another file
 */
export function chooseRoot(holdings: readonly Holdings[], excluded: ReadonlySet<string>): Uint8Array | undefined {
  const votes = new Map<string, Votes>();
  for (const { root, whole } of holdings) {
    const name = root && toHex(root);
    if (name === undefined || excluded.has(name)) continue;
    const counted = votes.get(name) ?? { whole: 0, all: 0 };
    counted.all += 1;
    if (whole) counted.whole += 1;
    votes.set(name, counted);
  }
  const [best] = [...votes].sort(([, a], [, b]) => b.whole - a.whole || b.all - a.all);
  return best && fromHex(best[0]);
}
