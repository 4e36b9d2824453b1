import { asShoalError, type Clock, type Logger } from '@shoal/protocol';
import type { Attempt, Task } from '../domain/index.ts';
import type { Change, Store } from '../store/index.ts';
import type { LiveTask } from './live-task.ts';
import type { TaskCounts } from './task-counts.ts';

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer'>;
  readonly counts: TaskCounts;
}

/** The tasks that have not ended. Every end goes through here: durable first, then told, once, for good. */
export class LiveTasks {
  readonly #deps: Deps;
  readonly #byId = new Map<string, LiveTask>();
  readonly #byKey = new Map<string, LiveTask>();
  /** Lets go of what the task holds: its place in the line, its attempt, its input. */
  onEnding: (live: LiveTask) => void = () => {};
  onEnded: (live: LiveTask) => void = () => {};
  /** A new task could not be made durable: it never was one. */
  onRefused: (live: LiveTask) => void = () => {};
  /** The end could not be made durable: the task lives on. */
  onNotEnded: (live: LiveTask) => void = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#byId.size;
  }

  values(): Iterable<LiveTask> {
    return this.#byId.values();
  }

  get(id: string): LiveTask | undefined {
    return this.#byId.get(id);
  }

  withKey(key: string): LiveTask | undefined {
    return this.#byKey.get(key);
  }

  add(live: LiveTask): void {
    this.#byId.set(live.id, live);
    if (live.task.idempotencyKey !== undefined) this.#byKey.set(live.task.idempotencyKey, live);
  }

  /** A change that may be forgotten in a crash. */
  change(live: LiveTask, change: Partial<Task>): void {
    live.task = { ...live.task, ...change };
    this.#defer(live);
    live.tell();
  }

  /**
   * Makes a new task durable, as it stands; with patience, along with other changes or its own end within that time.
   * @throws what the store throws; the task is forgotten then.
   */
  async record(live: LiveTask, patienceMs: number): Promise<void> {
    const { task } = live;
    try {
      await this.#deps.store.commit([{ kind: 'task', task }], patienceMs);
      live.recorded = true;
      if (live.task !== task) this.#defer(live);
    } catch (error) {
      // An end that was durable in spite of that is what counts.
      if (live.ending && (await isDone(live.ending))) return;
      this.onRefused(live);
      this.#forget(live);
      throw error;
    }
  }

  #defer(live: LiveTask): void {
    // What is written after an end would undo it.
    if (live.recorded && live.ending === undefined) this.#deps.store.defer({ kind: 'task', task: live.task });
  }

  /**
   * Ends the task, durably, along with `changes`. Only when it is not ending yet.
   * @throws what the store throws, which the logger is told; the task lives on.
   */
  end(live: LiveTask, end: Partial<Task> & Pick<Task, 'state'>, changes: readonly Change[] = []): Promise<void> {
    this.onEnding(live);
    const endedAtMs = this.#deps.clock.nowMs();
    const ended = { ...live.task, ...end, endedAtMs };
    const task: Task = { ...ended, attempts: closedAttempts(ended, endedAtMs) };
    live.ending = this.#deps.store.commit([{ kind: 'task', task }, ...changes]).then(
      () => this.#ended(live, task),
      (error) => {
        const why = asShoalError(error).message;
        this.#deps.logger.error('the end of a task could not be recorded', { task: live.id, error: why });
        live.ending = undefined;
        this.#defer(live);
        this.onNotEnded(live);
        throw error;
      },
    );
    return live.ending;
  }

  #ended(live: LiveTask, task: Task): void {
    live.task = task;
    this.#forget(live);
    this.#deps.counts.ended[task.state] += 1;
    this.onEnded(live);
    live.tell();
    live.watchers.clear();
  }

  #forget({ task }: LiveTask): void {
    this.#byId.delete(task.id);
    if (task.idempotencyKey !== undefined) this.#byKey.delete(task.idempotencyKey);
  }
}

function isDone(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

/** With the task the attempts end that are still under way. */
function closedAttempts({ attempts, state }: Task, endedAtMs: number): readonly Attempt[] {
  if (!attempts.some(isOpen)) return attempts;
  const reason = state === 'succeeded' ? 'another attempt was first' : `the task is ${state}`;
  return attempts.map((attempt) => (isOpen(attempt) ? { ...attempt, state: 'cancelled', endedAtMs, reason } : attempt));
}

function isOpen({ state }: Attempt): boolean {
  return state === 'offered' || state === 'accepted';
}
