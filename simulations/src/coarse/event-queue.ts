import type { Clock } from '@shoal/protocol';

/** What happens later, soonest first; what is due at the same time in the order in which it was added. */
export class EventQueue {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly act: () => void }[] = [];
  #order = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, act: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, act };
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, event)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  after(delayMs: number, act: () => void): void {
    this.at(this.#nowMs + delayMs, act);
  }

  /** Lets everything happen that is due until then. */
  run(untilMs: number): void {
    for (let next = this.#heap[0]; next && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#removeFirst();
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = untilMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
      if (!left) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
  }
}

function isBefore(a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A clock that shows the time of the events; what is set on it becomes one. */
export function clockOf(events: EventQueue, wallMs: () => number): Clock {
  return {
    nowMs: wallMs,
    monotonicMs: () => events.nowMs,
    after(_name, delayMs, callback) {
      let cancelled = false;
      events.after(delayMs, () => {
        if (!cancelled) callback();
      });
      return () => {
        cancelled = true;
      };
    },
    soon: (_name, callback) => events.after(0, callback),
  };
}
