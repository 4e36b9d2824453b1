import { asShoalError, type Clock, type Logger, newId, type Random, ShoalError } from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import {
  finalTaskStates,
  type Page,
  type PageOptions,
  type Task,
  type TaskSpec,
  type TaskState,
  type Tasks,
} from '../domain/index.ts';
import { type ModelIndex, resolvePipeline } from '../pipelines/index.ts';
import type { Store } from '../store/index.ts';
import { checkKey, checkSpec, sameSpec } from './check-spec.ts';
import type { Dispatcher } from './dispatcher.ts';
import { DueTimes } from './due-times.ts';
import { LiveTask } from './live-task.ts';
import type { LiveTasks } from './live-tasks.ts';
import type { TaskCounts } from './task-counts.ts';

export interface TaskOptions {
  readonly liveTaskLimit: number;
}

/** Those who wait for one task, at most. */
const mostWatchers = 1_000;
/** How long the record of a task whose submitter waits for its end may wait for company on its way to the disk, ms. */
const recordPatienceMs = 2;
/** An end that could not be recorded is tried again after this time, ms. */
const endAgainMs = 1_000;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer' | 'task' | 'taskByIdempotencyKey' | 'tasks'>;
  readonly blobs: Pick<BlobKeeper, 'retain' | 'release' | 'forgo' | 'find'>;
  readonly models: ModelIndex;
  readonly live: LiveTasks;
  readonly dispatcher: Dispatcher;
  readonly counts: TaskCounts;
}

/** The life of a task, from its submission to its one end. */
export class TaskBook implements Tasks {
  readonly #deps: Deps;
  readonly #options: TaskOptions;
  readonly #deadlines: DueTimes<LiveTask>;
  /** Submissions with a key that are not durable yet. */
  readonly #submitting = new Map<string, Promise<Task>>();
  #arriving = 0;
  #closed = false;

  constructor(deps: Deps, options: TaskOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#deadlines = new DueTimes(deps.clock, 'tasks: deadlines', (live) => this.#expire(live));
    const { live, dispatcher, blobs } = deps;
    live.onEnding = (task) => dispatcher.withhold(task);
    live.onNotEnded = (task) => dispatcher.restore(task);
    live.onRefused = (task) => {
      this.#deadlines.remove(task);
      dispatcher.withhold(task);
      dispatcher.withdraw(task, 'it could not be recorded');
      if (task.task.spec.input) blobs.forgo(task.task.spec.input.digest);
    };
    live.onEnded = (task) => {
      this.#deadlines.remove(task);
      dispatcher.release(task);
      if (task.task.spec.input) blobs.release(task.task.spec.input);
    };
  }

  /** What is recorded and has not ended goes on. */
  load(unfinished: readonly Task[]): void {
    const { live, models, dispatcher, blobs, clock, logger } = this.#deps;
    for (const task of unfinished) {
      let loaded: LiveTask;
      try {
        // A wall clock that was set back in between gives no task more than it was given at first.
        const leftMs = Math.min(task.expiresAtMs - clock.nowMs(), task.spec.deadlineMs);
        loaded = new LiveTask(task, resolvePipeline(task.spec, models), clock.monotonicMs() + leftMs);
      } catch (error) {
        // Its model is gone from the catalogue.
        const { code, message: reason } = asShoalError(error);
        logger.warn('a task cannot go on', { task: task.id, reason });
        const ended = { ...task, state: 'failed', errorCode: code, reason, endedAtMs: clock.nowMs() } as const;
        this.#deps.store.defer({ kind: 'task', task: ended });
        continue;
      }
      loaded.recorded = true;
      live.add(loaded);
      if (task.spec.input) blobs.retain(task.spec.input.digest);
      this.#deadlines.add(loaded, loaded.dueMs - clock.monotonicMs());
      dispatcher.resume(loaded);
    }
  }

  /** Nothing is taken in any more. */
  close(): void {
    this.#closed = true;
  }

  stop(): void {
    this.#closed = true;
    this.#deadlines.stop();
  }

  async submit(spec: TaskSpec, idempotencyKey?: string, waitsForEnd = false): Promise<Task> {
    if (this.#closed) throw new ShoalError('closed', 'the coordinator is stopping and takes no new task');
    if (idempotencyKey === undefined) return this.#submit(spec, undefined, waitsForEnd);
    checkKey(idempotencyKey);
    const first = this.#submitting.get(idempotencyKey) ?? this.#submitKeyed(spec, idempotencyKey, waitsForEnd);
    this.#submitting.set(idempotencyKey, first);
    try {
      const task = await first;
      if (sameSpec(task.spec, spec)) return task;
      throw new ShoalError('conflict', 'this idempotency key was used for another task', { task: task.id });
    } finally {
      if (this.#submitting.get(idempotencyKey) === first) this.#submitting.delete(idempotencyKey);
    }
  }

  async #submitKeyed(spec: TaskSpec, key: string, waitsForEnd: boolean): Promise<Task> {
    const { live, store } = this.#deps;
    const before = live.withKey(key)?.task ?? (await store.taskByIdempotencyKey(key));
    if (!before) return this.#submit(spec, key, waitsForEnd);
    if (finalTaskStates.has(before.state) || live.get(before.id) || !sameSpec(before.spec, spec)) return before;
    // It was written, but could not be flushed: its submitter was told that it is none, and nobody works on it.
    await store.commit([{ kind: 'task', task: before }]);
    this.load([before]);
    return live.get(before.id)?.task ?? this.get(before.id);
  }

  async #submit(spec: TaskSpec, idempotencyKey: string | undefined, waitsForEnd: boolean): Promise<Task> {
    const { clock, random, live: tasks, dispatcher, blobs, counts, models } = this.#deps;
    const resolved = checkSpec(spec, models);
    if (tasks.size + this.#arriving >= this.#options.liveTaskLimit) {
      throw new ShoalError('queue.full', `${this.#options.liveTaskLimit} tasks have not ended yet: try again later`);
    }
    const { input } = spec;
    if (input) {
      this.#arriving += 1;
      blobs.retain(input.digest);
      try {
        await this.#checkInput(input);
      } catch (error) {
        blobs.forgo(input.digest);
        throw error;
      } finally {
        this.#arriving -= 1;
      }
    }
    const createdAtMs = clock.nowMs();
    const live = new LiveTask(
      {
        id: newId('tsk', createdAtMs, random),
        spec,
        state: 'queued',
        createdAtMs,
        expiresAtMs: createdAtMs + spec.deadlineMs,
        attempts: [],
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      },
      resolved,
      clock.monotonicMs() + spec.deadlineMs,
    );
    tasks.add(live);
    this.#deadlines.add(live, spec.deadlineMs);
    // A device may have it before the disk does: it works while the disk is waited for. Whoever submits it is told when both are sure.
    dispatcher.enqueue(live);
    await tasks.record(live, waitsForEnd ? recordPatienceMs : 0);
    counts.submitted += 1;
    return live.task;
  }

  async #checkInput(input: NonNullable<TaskSpec['input']>): Promise<void> {
    const blob = await this.#deps.blobs.find(input.digest);
    if (!blob)
      throw new ShoalError('not-found', `there is no blob ${input.digest.slice(0, 64)}: upload it first`, {
        field: 'input',
      });
    if (blob.sizeBytes !== input.sizeBytes) {
      throw new ShoalError('input.invalid', `input.sizeBytes: the blob has ${blob.sizeBytes} bytes`, {
        field: 'input',
      });
    }
  }

  async get(id: string): Promise<Task> {
    const task = this.#deps.live.get(id)?.task ?? (await this.#deps.store.task(id));
    if (!task) throw new ShoalError('not-found', `there is no task ${id.slice(0, 64)}`);
    return task;
  }

  async list(options: PageOptions & { readonly state?: TaskState }): Promise<Page<Task>> {
    // With this, what was deferred is written, and the page is of how things stand.
    await this.#deps.store.commit([]);
    const page = await this.#deps.store.tasks(options);
    const items = page.items.map((task) => this.#deps.live.get(task.id)?.task ?? task);
    return { ...page, items: items.filter(({ state }) => options.state === undefined || state === options.state) };
  }

  async cancel(id: string): Promise<Task> {
    for (;;) {
      const live = this.#deps.live.get(id);
      if (!live) return this.get(id);
      // Whatever ends it now goes first.
      if (live.ending !== undefined) await live.ending.catch(() => {});
      else await this.#deps.live.end(live, { state: 'cancelled', reason: 'it was cancelled' });
    }
  }

  async wait(id: string, waitMs: number, signal: AbortSignal): Promise<Task> {
    signal.throwIfAborted();
    const live = this.#deps.live.get(id);
    if (!live || waitMs <= 0) return this.get(id);
    checkWatchers(live);
    return new Promise((resolve, reject) => {
      const end = () => {
        live.watchers.delete(onChange);
        signal.removeEventListener('abort', onAbort);
        cancelTimer();
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      const onChange = (task: Task) => {
        if (!finalTaskStates.has(task.state)) return;
        end();
        resolve(task);
      };
      const cancelTimer = this.#deps.clock.after('tasks: somebody waits', waitMs, () => {
        end();
        resolve(live.task);
      });
      live.watchers.add(onChange);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  async *watch(id: string, signal: AbortSignal): AsyncIterable<Task> {
    const live = this.#deps.live.get(id);
    if (!live) {
      yield await this.get(id);
      return;
    }
    checkWatchers(live);
    // A slow reader misses what lies between, never the end.
    let latest: Task | undefined = live.task;
    let wake = () => {};
    const onChange = (task: Task) => {
      latest = task;
      wake();
    };
    const onAbort = () => wake();
    live.watchers.add(onChange);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        if (latest) {
          const task: Task = latest;
          latest = undefined;
          yield task;
          if (finalTaskStates.has(task.state)) return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      live.watchers.delete(onChange);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #expire(live: LiveTask): void {
    const why =
      live.task.reason ?? (live.current ? `it was on ${live.current.device.record.name}` : 'it waited for a device');
    const end =
      live.ending ??
      this.#deps.live.end(live, { state: 'expired', errorCode: 'work.expired', reason: `the deadline passed: ${why}` });
    end.catch(() => this.#deadlines.add(live, endAgainMs));
  }
}

function checkWatchers(live: LiveTask): void {
  if (live.watchers.size >= mostWatchers)
    throw new ShoalError('queue.full', `${mostWatchers} already wait for this task`);
}
