import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FuzzTarget } from '@shoal/protocol/testing';

const root = join(import.meta.dirname, '../..');

/** The doors of all workspaces: what the files `test/fuzz/targets.ts` of each of them name. */
export async function allTargets(): Promise<readonly FuzzTarget[]> {
  const files = globSync('*/test/fuzz/targets.ts', { cwd: root }).sort();
  const tables = await Promise.all(
    files.map(async (file) => {
      const table: { readonly fuzzTargets: readonly FuzzTarget[] } = await import(pathToFileURL(join(root, file)).href);
      return table.fuzzTargets;
    }),
  );
  return tables.flat();
}

/** How many of `count` inputs each target gets: the more, the less one of them takes; at least one. */
export function shares(targets: readonly FuzzTarget[], count: number): ReadonlyMap<FuzzTarget, number> {
  const weights = targets.map(({ cost = 1 }) => 1 / cost);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return new Map(targets.map((target, i) => [target, Math.max(1, Math.round((count * (weights[i] ?? 0)) / all))]));
}
