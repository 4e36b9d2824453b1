/** From one node to another, so many units at most, each at this cost (0 or more). */
export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
  readonly cost: number;
}

/**
 * Units on each arc when as many as can go from the source to the sink, at the least sum of costs. Successive shortest paths, found by Dijkstra's
 * algorithm over costs that potentials keep from getting negative (Edmonds and Karp, 1972).
 */
export function cheapestFlow(nodes: number, arcs: readonly Arc[], source: number, sink: number): readonly number[] {
  const network = new Network(nodes, arcs);
  while (network.augment(source, sink));
  return arcs.map((_, arc) => network.flowOn(arc));
}

/** What can still be sent: arc `2n` is the arc `n`, arc `2n + 1` takes back what went over it. */
class Network {
  readonly #to: Int32Array;
  readonly #left: Float64Array;
  readonly #cost: Float64Array;
  /** The arcs out of each node. */
  readonly #out: readonly number[][];
  readonly #potential: Float64Array;
  readonly #distance: Float64Array;
  /** The arc over which each node is reached. */
  readonly #over: Int32Array;

  constructor(nodes: number, arcs: readonly Arc[]) {
    this.#to = new Int32Array(2 * arcs.length);
    this.#left = new Float64Array(2 * arcs.length);
    this.#cost = new Float64Array(2 * arcs.length);
    this.#out = Array.from({ length: nodes }, () => []);
    this.#potential = new Float64Array(nodes);
    this.#distance = new Float64Array(nodes);
    this.#over = new Int32Array(nodes);
    for (const [n, { from, to, capacity, cost }] of arcs.entries()) {
      this.#to.set([to, from], 2 * n);
      this.#left[2 * n] = capacity;
      this.#cost.set([cost, -cost], 2 * n);
      this.#out[from]?.push(2 * n);
      this.#out[to]?.push(2 * n + 1);
    }
  }

  flowOn(arc: number): number {
    return this.#left[2 * arc + 1] as number;
  }

  /** Sends what fits on the cheapest way that is left. `false`: there is none. */
  augment(source: number, sink: number): boolean {
    if (!this.#search(source, sink)) return false;
    const way: number[] = [];
    for (let node = sink; node !== source; node = this.#to[(way.at(-1) as number) ^ 1] as number)
      way.push(this.#over[node] as number);
    const fits = way.reduce((least, arc) => Math.min(least, this.#left[arc] as number), Number.POSITIVE_INFINITY);
    for (const arc of way) {
      this.#left[arc] = (this.#left[arc] as number) - fits;
      this.#left[arc ^ 1] = (this.#left[arc ^ 1] as number) + fits;
    }
    return true;
  }

  #search(source: number, sink: number): boolean {
    const distance = this.#distance.fill(Number.POSITIVE_INFINITY);
    distance[source] = 0;
    const queue = new Nearest();
    queue.add(source, 0);
    for (let next = queue.take(); next && next.node !== sink; next = queue.take())
      if (next.distance === distance[next.node]) this.#relax(next.node, queue);
    const toSink = distance[sink] as number;
    if (toSink === Number.POSITIVE_INFINITY) return false;
    const potential = this.#potential;
    for (let node = 0; node < potential.length; node++)
      potential[node] = (potential[node] as number) + Math.min(toSink, distance[node] as number);
    return true;
  }

  #relax(node: number, queue: Nearest): void {
    const reached = this.#distance[node] as number;
    const potential = this.#potential;
    for (const arc of this.#out[node] as number[]) {
      if ((this.#left[arc] as number) <= 0) continue;
      const to = this.#to[arc] as number;
      // Below zero by rounding only.
      const reduced = (this.#cost[arc] as number) + (potential[node] as number) - (potential[to] as number);
      const distance = reached + Math.max(0, reduced);
      if (distance >= (this.#distance[to] as number)) continue;
      this.#distance[to] = distance;
      this.#over[to] = arc;
      queue.add(to, distance);
    }
  }
}

interface Reached {
  readonly node: number;
  readonly distance: number;
}

/** A heap of nodes, the nearest first. A node may be in it several times: only its least distance counts. */
class Nearest {
  readonly #heap: Reached[] = [];

  add(node: number, distance: number): void {
    const heap = this.#heap;
    let at = heap.push({ node, distance }) - 1;
    while (at > 0 && (heap[(at - 1) >> 1] as Reached).distance > distance) {
      heap[at] = heap[(at - 1) >> 1] as Reached;
      at = (at - 1) >> 1;
    }
    heap[at] = { node, distance };
  }

  take(): Reached | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right && right.distance < (heap[child] as Reached).distance) child += 1;
      if ((heap[child] as Reached).distance >= last.distance) break;
      heap[at] = heap[child] as Reached;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
