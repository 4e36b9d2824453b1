import type { LiveTask } from './live-task.ts';

/**
 * Tasks that wait for a device, by class, each class in the order in which they came. A task that comes back after a failed attempt stands
 * before those that were never tried.
 */
export class WaitingLine {
  readonly #classes = new Map<string, { readonly again: Set<LiveTask>; readonly fresh: Set<LiveTask> }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(live: LiveTask): void {
    let line = this.#classes.get(live.className);
    if (!line) {
      line = { again: new Set(), fresh: new Set() };
      this.#classes.set(live.className, line);
    }
    const part = live.task.attempts.length > 0 ? line.again : line.fresh;
    if (part.has(live)) return;
    part.add(live);
    this.#size += 1;
  }

  remove(live: LiveTask): void {
    const line = this.#classes.get(live.className);
    if (!line) return;
    if (line.again.delete(live) || line.fresh.delete(live)) this.#size -= 1;
    if (line.again.size + line.fresh.size === 0) this.#classes.delete(live.className);
  }

  /** The classes, the one whose first task waits longest first. */
  classes(): readonly string[] {
    if (this.#classes.size < 2) return [...this.#classes.keys()];
    const heads = [...this.#classes.keys()].map((name) => ({ name, id: this.first(name, 1)[0]?.id ?? '' }));
    return heads.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ name }) => name);
  }

  /** The first tasks of a class. */
  first(className: string, count: number): readonly LiveTask[] {
    const line = this.#classes.get(className);
    const tasks: LiveTask[] = [];
    if (!line) return tasks;
    for (const part of [line.again, line.fresh]) {
      for (const live of part) {
        if (tasks.length >= count) return tasks;
        tasks.push(live);
      }
    }
    return tasks;
  }
}
