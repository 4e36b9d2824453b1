export interface Timer {
  readonly name: string;
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
  /** Where it lies in the queue; -1 when it is not there any more. */
  place: number;
}

/** Timers, the one that is due first in front; of those due at the same moment the one that was set first. A binary heap. */
export class TimerQueue {
  readonly #heap: Timer[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): Timer | undefined {
    return this.#heap[0];
  }

  add(timer: Timer): void {
    this.#rise(timer, this.#heap.length);
  }

  /** One that is not there changes nothing. */
  remove(timer: Timer): void {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = this.#heap.pop();
    if (!last || last === timer) return;
    const parent = this.#heap[(place - 1) >> 1];
    if (place > 0 && parent && isBefore(last, parent)) this.#rise(last, place);
    else this.#sink(last, place);
  }

  inOrder(): Timer[] {
    return this.#heap.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #rise(timer: Timer, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (!parent || isBefore(parent, timer)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(timer, place);
  }

  #sink(timer: Timer, from: number): void {
    let place = from;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      if (!left) break;
      const right = this.#heap[2 * place + 2];
      const child = right && isBefore(right, left) ? right : left;
      if (isBefore(timer, child)) break;
      const below = child.place;
      this.#put(child, place);
      place = below;
    }
    this.#put(timer, place);
  }

  #put(timer: Timer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs === other.dueMs ? one.sequence < other.sequence : one.dueMs < other.dueMs;
}
