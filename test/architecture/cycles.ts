import { importsOf, isRelative, resolveRelative } from './imports.ts';
import { codePaths, type SourceTree } from './source-tree.ts';
import { featureOf } from './workspace-rules.ts';

/** Files that import each other in a circle, each circle once: `a.ts -> b.ts -> a.ts`. */
export function fileCycles(tree: SourceTree): string[] {
  return cyclesOf(importGraph(tree));
}

/** Features (folders of `src`) that import each other in a circle; the files beside them, `index.ts` and the like, may import all. */
export function featureCycles(tree: SourceTree): string[] {
  const graph = new Map<string, Set<string>>();
  for (const [path, targets] of importGraph(tree)) {
    const from = featureOf(path);
    if (!from || from.endsWith('/src')) continue;
    const edges = graph.get(from) ?? new Set();
    for (const target of targets) {
      const to = featureOf(target);
      if (to && to !== from) edges.add(to);
    }
    graph.set(from, edges);
  }
  return cyclesOf(graph);
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function importGraph(tree: SourceTree): Graph {
  const targetsOf = (path: string) =>
    importsOf(tree, path)
      .filter(({ specifier }) => isRelative(specifier))
      .map(({ specifier }) => resolveRelative(path, specifier));
  return new Map(codePaths(tree).map((path) => [path, new Set(targetsOf(path))]));
}

/** One circle for each edge that closes one, found by going depth first. */
function cyclesOf(graph: Graph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (node: string): void => {
    const start = way.indexOf(node);
    if (start >= 0) {
      found.push([...way.slice(start), node].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    way.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    way.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}
