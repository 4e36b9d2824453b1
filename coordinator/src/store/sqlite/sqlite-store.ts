import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Clock, type Logger, type PeerId, type SequenceStore, ShoalError, silentLogger } from '@shoal/protocol';
import type { EventFilter, EventRecord, Page, PageOptions, ResultRecord, Task, TaskState } from '../../domain/index.ts';
import { GroupCommit } from '../group-commit.ts';
import type { BlobRecord, Change, Retention, Store, StoreCounts, StoredState } from '../store.ts';
import { StoredSequences } from '../stored-sequences.ts';
import { openLogFlush } from './log-flush.ts';
import { LogKeeper } from './log-keeper.ts';
import { openDatabase, storeError } from './open-database.ts';
import { SqliteReader } from './reader.ts';
import { openCheckpointThread } from './real/index.ts';
import { SqliteWriter } from './writer.ts';

export interface SqliteStoreOptions {
  /** `:memory:` for none. */
  readonly path: string;
  /** Refuses with `io.disk-full` rather than let the file grow past this, bytes. Default: as large as the disk allows. */
  readonly mostBytes?: number;
  /** Told of what fails while nobody waits for it. Default: nobody is. */
  readonly logger?: Logger;
  /** For tests: what brings commits to the disk. */
  readonly openLog?: typeof openLogFlush;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly reader: SqliteReader;
  readonly sequences: StoredSequences;
  readonly group: GroupCommit;
  readonly log: LogKeeper;
  readonly deleteTask: StatementSync;
  readonly deleteResult: StatementSync;
  readonly deleteResultOfTask: StatementSync;
  readonly deleteEvent: StatementSync;
}

/** A {@link Store} in one SQLite file. Enough for a house, a shop, a site. */
export class SqliteStore implements Store {
  readonly name = 'sqlite-store';
  readonly #clock: Clock;
  readonly #options: SqliteStoreOptions;
  #state: Opened | undefined;

  constructor(clock: Clock, options: SqliteStoreOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get sequences(): SequenceStore {
    return this.#opened.sequences;
  }

  get counts(): StoreCounts {
    return this.#state?.group.counts ?? { commits: 0, changes: 0 };
  }

  /** @throws `io.failed` when the file is damaged, in use or of a later version; `io.disk-full`. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { path, logger = silentLogger, openLog = openLogFlush } = this.#options;
    const database = openDatabase(this.#options);
    const flush = await openLog(path).catch((error) => {
      database.close();
      throw storeError(error, path);
    });
    const clock = this.#clock;
    const log = new LogKeeper({ log: flush, checkpointer: openCheckpointThread(path), clock, logger });
    const reader = new SqliteReader(database);
    const writer = new SqliteWriter(database);
    const sequences: StoredSequences = new StoredSequences(reader.sequences(), (next) =>
      group.commit([{ kind: 'sequences-reserved', next }]),
    );
    const group = new GroupCommit({
      clock,
      sequences,
      write: async (writes) => {
        try {
          await log.ready();
          writer.transaction(writes);
          await log.flush();
        } catch (error) {
          throw storeError(error, path);
        }
      },
    });
    this.#state = {
      database,
      reader,
      sequences,
      group,
      log,
      deleteTask: database.prepare('DELETE FROM tasks WHERE id = ?'),
      deleteResult: database.prepare('DELETE FROM results WHERE rowid = ?'),
      deleteResultOfTask: database.prepare('DELETE FROM results WHERE task_id = ?'),
      deleteEvent: database.prepare('DELETE FROM events WHERE id = ?'),
    };
  }

  async stop(): Promise<void> {
    const opened = this.#state;
    if (!opened) return;
    this.#state = undefined;
    try {
      await opened.group.close();
    } finally {
      opened.database.close();
      // Only then: closing a file lets go of every lock that this process has on it, those of SQLite too (sqlite.org/howtocorrupt.html, 2.2).
      await opened.log.close();
    }
  }

  async load(): Promise<StoredState> {
    return this.#read((reader) => reader.state());
  }

  async commit(changes: readonly Change[], patienceMs?: number): Promise<void> {
    return this.#opened.group.commit(changes, patienceMs);
  }

  defer(change: Change): void {
    this.#state?.group.defer(change);
  }

  async task(id: string): Promise<Task | undefined> {
    return this.#read((reader) => reader.task(id));
  }

  async taskByIdempotencyKey(key: string): Promise<Task | undefined> {
    return this.#read((reader) => reader.taskByKey(key));
  }

  async tasks(options: PageOptions & { readonly state?: TaskState }): Promise<Page<Task>> {
    return this.#read((reader) => reader.tasks(options));
  }

  async resultOfTask(taskId: string): Promise<ResultRecord | undefined> {
    return this.#read((reader) => reader.resultOfTask(taskId));
  }

  async resultOfCamera(cameraId: string, resultId: string): Promise<ResultRecord | undefined> {
    return this.#read((reader) => reader.resultOfCamera(cameraId, resultId));
  }

  async resultsOfCamera(cameraId: string, options: PageOptions): Promise<Page<ResultRecord>> {
    return this.#read((reader) => reader.resultsOfCamera(cameraId, options));
  }

  async highestReport(cameraId: string, device: PeerId): Promise<number> {
    return this.#read((reader) => reader.highestReport(cameraId, device));
  }

  async hasReport(cameraId: string, device: PeerId, report: number): Promise<boolean> {
    return this.#read((reader) => reader.hasReport(cameraId, device, report));
  }

  async event(id: string): Promise<EventRecord | undefined> {
    return this.#read((reader) => reader.event(id));
  }

  async events(options: PageOptions & EventFilter): Promise<Page<EventRecord>> {
    return this.#read((reader) => reader.events(options));
  }

  async blob(digest: string): Promise<BlobRecord | undefined> {
    return this.#read((reader) => reader.blob(digest));
  }

  async unusedBlobs(beforeMs: number, limit: number): Promise<readonly BlobRecord[]> {
    return this.#read((reader) => reader.unusedBlobs(beforeMs, limit));
  }

  async prune(retention: Retention, nowMs: number, batchSize: number): Promise<number> {
    const { database, log, deleteTask, deleteResult, deleteResultOfTask, deleteEvent } = this.#opened;
    await log.ready().catch((error) => {
      throw storeError(error, this.#options.path);
    });
    const { tasks, results, events } = this.#read((reader) => reader.past(retention, nowMs, batchSize));
    const count = tasks.length + results.length + events.length;
    if (count === 0) return 0;
    // Not flushed: what a crash brings back is deleted again.
    this.#guarded(() => {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const id of tasks) {
          deleteResultOfTask.run(id);
          deleteTask.run(id);
        }
        for (const id of results) deleteResult.run(id);
        for (const id of events) deleteEvent.run(id);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
    log.keepShort();
    return count;
  }

  get #opened(): Opened {
    if (!this.#state) throw new ShoalError('closed', 'the store is not started, or stopped');
    return this.#state;
  }

  #read<Value>(query: (reader: SqliteReader) => Value): Value {
    return this.#guarded(() => query(this.#opened.reader));
  }

  #guarded<Value>(action: () => Value): Value {
    try {
      return action();
    } catch (error) {
      throw storeError(error, this.#options.path);
    }
  }
}
