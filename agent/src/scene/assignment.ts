/**
 * The cheapest way to give rows to columns, one each, where no pair may cost more than `mostCost`: pairs of row and column. As many pairs as that allows
 * are not forced: leaving a row without a column costs `mostCost`.
 * The Hungarian method with potentials (Kuhn 1955; Jonker and Volgenant 1987): n² m steps for n rows and m columns.
 */
export function assign(costs: readonly Float64Array[], mostCost: number): (readonly [row: number, column: number])[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (rows === 0 || columns === 0) return [];
  // Each row has a column of its own besides, in which it stays alone.
  const width = columns + rows;
  const costOf = (row: number, column: number) => {
    const cost = column < columns ? (costs[row]?.[column] ?? mostCost) : mostCost;
    return cost > mostCost ? impossible : cost;
  };
  const rowOf = shortestPaths(rows, width, costOf);
  const pairs: [number, number][] = [];
  for (let column = 0; column < columns; column++) {
    const row = rowOf[column] as number;
    if (row >= 0 && costOf(row, column) < mostCost) pairs.push([row, column]);
  }
  return pairs;
}

const impossible = 1e9;

/** The row of each column, -1 for none. Every row gets a column; there are at least as many columns as rows. */
function shortestPaths(rows: number, columns: number, costOf: (row: number, column: number) => number): Int32Array {
  const rowOf = new Int32Array(columns + 1).fill(-1);
  const rowPotential = new Float64Array(rows);
  const columnPotential = new Float64Array(columns + 1);
  const cheapest = new Float64Array(columns);
  const cameFrom = new Int32Array(columns);
  const visited = new Uint8Array(columns + 1);
  for (let row = 0; row < rows; row++) {
    // The last column stands for "none yet".
    let at = columns;
    rowOf[at] = row;
    cheapest.fill(Number.POSITIVE_INFINITY);
    visited.fill(0);
    do {
      visited[at] = 1;
      const from = rowOf[at] as number;
      let [best, next] = [Number.POSITIVE_INFINITY, -1];
      for (let column = 0; column < columns; column++) {
        if (visited[column]) continue;
        const reduced = costOf(from, column) - (rowPotential[from] as number) - (columnPotential[column] as number);
        if (reduced < (cheapest[column] as number)) {
          cheapest[column] = reduced;
          cameFrom[column] = at;
        }
        if ((cheapest[column] as number) < best) [best, next] = [cheapest[column] as number, column];
      }
      for (let column = 0; column <= columns; column++) {
        if (visited[column]) {
          rowPotential[rowOf[column] as number] = (rowPotential[rowOf[column] as number] as number) + best;
          columnPotential[column] = (columnPotential[column] as number) - best;
        } else if (column < columns) cheapest[column] = (cheapest[column] as number) - best;
      }
      at = next;
    } while (rowOf[at] !== -1);
    while (at !== columns) {
      const before = cameFrom[at] as number;
      rowOf[at] = rowOf[before] as number;
      at = before;
    }
  }
  return rowOf;
}
