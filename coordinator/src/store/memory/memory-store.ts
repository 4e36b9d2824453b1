import type { Clock, PeerId, SequenceStore } from '@shoal/protocol';
import { ShoalError } from '@shoal/protocol';
import {
  type EventFilter,
  type EventRecord,
  finalTaskStates,
  type Page,
  type PageOptions,
  type ResultRecord,
  type Task,
  type TaskState,
} from '../../domain/index.ts';
import { GroupCommit } from '../group-commit.ts';
import type { BlobRecord, Change, Retention, Store, StoreCounts, StoredState } from '../store.ts';
import type { StoreWrite } from '../store-write.ts';
import { StoredSequences } from '../stored-sequences.ts';
import { MemoryDisk } from './memory-disk.ts';

export interface MemoryStoreOptions {
  /** How long a write takes, ms. */
  readonly writeMs: number;
}

/** A {@link Store} for tests and the simulator: the same grouping and the same behaviour, on a disk that is a few maps. */
export class MemoryStore implements Store {
  readonly name = 'memory-store';
  readonly #clock: Clock;
  readonly #disk: MemoryDisk;
  readonly #options: MemoryStoreOptions;
  readonly #sequences: StoredSequences;
  readonly #group: GroupCommit;
  #crashed = false;
  #underWay: readonly StoreWrite[] = [];

  constructor(clock: Clock, disk = new MemoryDisk(), options: MemoryStoreOptions = { writeMs: 0 }) {
    this.#clock = clock;
    this.#disk = disk;
    this.#options = options;
    this.#sequences = new StoredSequences({ next: disk.nextSequence, received: disk.received }, (next) =>
      this.#group.commit([{ kind: 'sequences-reserved', next }]),
    );
    this.#group = new GroupCommit({
      clock,
      sequences: this.#sequences,
      write: async (writes) => {
        this.#underWay = writes;
        if (this.#options.writeMs > 0) await this.#pass(this.#options.writeMs);
        // A process that crashed hears nothing of its writes any more.
        if (this.#crashed) await new Promise<never>(() => {});
        this.#underWay = [];
        this.#disk.apply(writes);
      },
    });
  }

  /**
   * The process is gone: what was not committed is forgotten, and nobody is told. A new store on the same disk goes on.
   * @param lastWrite whether the write that was under way is on the disk all the same
   */
  crash(lastWrite: 'lost' | 'done' = 'lost'): void {
    if (lastWrite === 'done' && !this.#crashed && !this.#disk.failure) this.#disk.apply(this.#underWay);
    this.#crashed = true;
  }

  get sequences(): SequenceStore {
    return this.#sequences;
  }

  get counts(): StoreCounts {
    return this.#group.counts;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async stop(): Promise<void> {
    if (!this.#crashed) await this.#group.close();
  }

  async load(): Promise<StoredState> {
    const { devices, tokens, cameras, events, apiKeys, webhooks, tasks } = this.#disk;
    return {
      devices: [...devices.values()],
      tokens: [...tokens.values()],
      cameras: [...cameras.values()],
      eventsGoingOn: [...events.values()].filter(({ endedAtMs }) => endedAtMs === undefined),
      apiKeys: [...apiKeys.values()],
      webhooks: [...webhooks.values()].sort(byId),
      unfinishedTasks: [...tasks.values()].filter(({ state }) => !finalTaskStates.has(state)).sort(byId),
    };
  }

  commit(changes: readonly Change[], patienceMs?: number): Promise<void> {
    return this.#group.commit(changes, patienceMs);
  }

  defer(change: Change): void {
    this.#group.defer(change);
  }

  async task(id: string): Promise<Task | undefined> {
    return this.#disk.tasks.get(id);
  }

  async taskByIdempotencyKey(key: string): Promise<Task | undefined> {
    return this.#disk.taskOfKey(key);
  }

  async tasks(options: PageOptions & { readonly state?: TaskState }): Promise<Page<Task>> {
    const { state } = options;
    return page(this.#disk.tasks.values(), options, (task) => state === undefined || task.state === state);
  }

  async resultOfTask(taskId: string): Promise<ResultRecord | undefined> {
    return this.#disk.resultOfTask(taskId);
  }

  async resultOfCamera(cameraId: string, resultId: string): Promise<ResultRecord | undefined> {
    const result = this.#disk.results.get(resultId);
    return result && 'camera' in result.work && result.work.camera === cameraId ? result : undefined;
  }

  async resultsOfCamera(cameraId: string, options: PageOptions): Promise<Page<ResultRecord>> {
    return page(this.#disk.results.values(), options, ({ work }) => 'camera' in work && work.camera === cameraId);
  }

  async highestReport(cameraId: string, device: PeerId): Promise<number> {
    let highest = 0;
    for (const { work, device: from } of this.#disk.results.values()) {
      if ('camera' in work && work.camera === cameraId && from === device) highest = Math.max(highest, work.report);
    }
    return highest;
  }

  async hasReport(cameraId: string, device: PeerId, report: number): Promise<boolean> {
    return this.#disk.hasReport(cameraId, device, report);
  }

  async event(id: string): Promise<EventRecord | undefined> {
    return this.#disk.events.get(id);
  }

  async events(options: PageOptions & EventFilter): Promise<Page<EventRecord>> {
    const { camera, label, zone, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = options;
    return page(
      this.#disk.events.values(),
      options,
      (event) =>
        (camera ?? event.camera) === event.camera &&
        (label ?? event.label) === event.label &&
        (zone === undefined || zone in event.zones) &&
        event.startedAtMs >= fromMs &&
        event.startedAtMs < toMs,
    );
  }

  async blob(digest: string): Promise<BlobRecord | undefined> {
    return this.#disk.blobs.get(digest);
  }

  async unusedBlobs(beforeMs: number, limit: number): Promise<readonly BlobRecord[]> {
    return [...this.#disk.blobs.values()]
      .filter(({ lastUsedMs }) => lastUsedMs < beforeMs)
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs)
      .slice(0, limit);
  }

  async prune(retention: Retention, nowMs: number, batchSize: number): Promise<number> {
    if (this.#disk.failure) throw new ShoalError('io.failed', this.#disk.failure.message);
    const ended = [...this.#disk.tasks.values()].filter(({ endedAtMs }) => endedAtMs !== undefined);
    const endedAtMs = (task: Task) => task.endedAtMs ?? 0;
    const byEnd = (a: Task, b: Task) => endedAtMs(a) - endedAtMs(b) || byId(a, b);
    const tasks = past(ended, byEnd, endedAtMs, retention.endedTasks, nowMs - retention.endedTaskAgeMs);
    const reports = [...this.#disk.results.values()].filter(({ work }) => 'camera' in work);
    const { cameraResults, cameraResultAgeMs } = retention;
    const results = past(reports, byId, (result) => result.receivedAtMs, cameraResults, nowMs - cameraResultAgeMs);
    const { events: mostEvents, eventAgeMs } = retention;
    const events = past(
      [...this.#disk.events.values()],
      byId,
      (event) => event.startedAtMs,
      mostEvents,
      nowMs - eventAgeMs,
    );
    for (const task of tasks.slice(0, batchSize)) this.#disk.removeTask(task);
    for (const result of results.slice(0, batchSize)) this.#disk.removeResult(result);
    for (const { id } of events.slice(0, batchSize)) this.#disk.events.delete(id);
    return [tasks, results, events].reduce((sum, gone) => sum + Math.min(gone.length, batchSize), 0);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after('memory-store: write', ms, resolve));
  }
}

/** Those that are too many or too old, oldest first. */
function past<Item>(
  items: readonly Item[],
  order: (a: Item, b: Item) => number,
  timeOf: (item: Item) => number,
  most: number,
  beforeMs: number,
): Item[] {
  const excess = items.length - most;
  // Mostly there are none: then nothing is sorted.
  if (excess <= 0) return items.filter((item) => timeOf(item) < beforeMs).sort(order);
  return items.toSorted(order).filter((item, index) => index < excess || timeOf(item) < beforeMs);
}

function page<Item extends { readonly id: string }>(
  items: Iterable<Item>,
  { limit, cursor }: PageOptions,
  fits: (item: Item) => boolean,
): Page<Item> {
  const found = [...items].filter((item) => fits(item) && (cursor === undefined || item.id < cursor));
  const shown = found.sort((a, b) => byId(b, a)).slice(0, limit);
  const last = shown.at(-1);
  return { items: shown, ...(found.length > limit && last && { nextCursor: last.id }) };
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
