import type { Clock } from '@shoal/protocol';

/** Things that fall due within the same slice of this length are looked at together, ms. Nothing is due early. */
const sliceMs = 50;

/**
 * Calls back when things fall due, with one timer for all of them: tasks have deadlines that hardly any of them meets, and a timer for each
 * would cost more than the task. Adding and removing take constant time.
 */
export class DueTimes<Item> {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #onDue: (item: Item) => void;
  readonly #slices = new Map<number, Set<Item>>();
  readonly #sliceOf = new Map<Item, number>();
  #timer: { readonly slice: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, name: string, onDue: (item: Item) => void) {
    this.#clock = clock;
    this.#name = name;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#sliceOf.size;
  }

  /** An item that is in here already is moved. */
  add(item: Item, inMs: number): void {
    this.remove(item);
    const slice = Math.ceil((this.#clock.monotonicMs() + Math.max(0, inMs)) / sliceMs);
    this.#sliceOf.set(item, slice);
    const items = this.#slices.get(slice);
    if (items) items.add(item);
    else {
      this.#slices.set(slice, new Set([item]));
      if (!this.#timer || slice < this.#timer.slice) this.#wait(slice);
    }
  }

  remove(item: Item): void {
    const slice = this.#sliceOf.get(item);
    if (slice === undefined) return;
    this.#sliceOf.delete(item);
    const items = this.#slices.get(slice);
    items?.delete(item);
    if (items?.size === 0) this.#slices.delete(slice);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#slices.clear();
    this.#sliceOf.clear();
  }

  #wait(slice: number): void {
    this.#timer?.cancel();
    const delayMs = slice * sliceMs - this.#clock.monotonicMs();
    this.#timer = { slice, cancel: this.#clock.after(this.#name, delayMs, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    const nowSlice = Math.floor(this.#clock.monotonicMs() / sliceMs);
    let next = Number.POSITIVE_INFINITY;
    const due: Item[] = [];
    // As many as there are slices in use, a few hundred at most for deadlines of seconds; once per slice.
    for (const [slice, items] of this.#slices) {
      if (slice <= nowSlice) due.push(...items);
      else if (slice < next) next = slice;
    }
    for (const item of due) this.remove(item);
    if (next < Number.POSITIVE_INFINITY) this.#wait(next);
    for (const item of due) this.#onDue(item);
  }
}
