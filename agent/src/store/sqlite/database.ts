import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { asShoalError, ShoalError } from '@shoal/protocol';
import { type LogFlush, openLogFlush } from './log-flush.ts';
import { migrate } from './schema.ts';

/**
 * One SQLite file: prepared statements are kept, and every transaction first runs what `beforeCommit` adds to it. A commit is in SQLite's write-ahead log
 * when it returns, and on the disk once that is flushed.
 */
export class Database {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #log: LogFlush;
  readonly #statements = new Map<string, StatementSync>();
  #beforeCommit = () => () => {};
  #closed = false;
  #nextFlush: Promise<void> | undefined;
  #lastFlush: Promise<unknown> = Promise.resolve();
  /** The system may forget what it failed to flush: then nothing in the log is sure, and what follows in it is not either. */
  #logIsSound = true;

  /** @throws `io.failed` when the file cannot be opened or is no database */
  constructor(path: string, openLog: (path: string) => LogFlush = openLogFlush) {
    this.#path = path;
    try {
      this.#database = new DatabaseSync(path);
      // NORMAL: flushes around a checkpoint, not at each commit (sqlite.org/pragma.html#pragma_synchronous).
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
      migrate(this.#database, path);
      this.#log = openLog(path);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Runs as part of every transaction, before its end; what it returns, once that is committed. */
  beforeCommit(action: () => () => void): void {
    this.#beforeCommit = action;
  }

  /** The same as {@link transaction}, and durable when it resolves. */
  async durably<T>(action: () => T): Promise<T> {
    const result = this.transaction(action);
    await this.flush();
    return result;
  }

  /** To be flushed. @throws `io.disk-full`, `io.failed`; then nothing of it has happened. */
  transaction<T>(action: () => T): T {
    if (this.#closed) throw new ShoalError('closed', 'the store is closed');
    try {
      this.#makeLogSound();
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = action();
        const onceCommitted = this.#beforeCommit();
        this.#database.exec('COMMIT');
        onceCommitted();
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Every transaction so far is durable when it resolves. @throws `io.failed`, `io.disk-full`: then it may be or not */
  flush(): Promise<void> {
    // One at a time: the system tells of a failure once, and what follows in the log is lost with what it was told of. Who comes meanwhile shares the next.
    if (!this.#nextFlush) {
      this.#nextFlush = this.#flushAfter(this.#lastFlush);
      this.#lastFlush = Promise.allSettled([this.#nextFlush]);
    }
    return this.#nextFlush;
  }

  async #flushAfter(before: Promise<unknown>): Promise<void> {
    await before;
    this.#nextFlush = undefined;
    try {
      if (this.#logIsSound) await this.#log.flush();
      else this.#makeLogSound();
    } catch (error) {
      this.#logIsSound = false;
      throw new ShoalError(
        'io.failed',
        `${this.#path} cannot be flushed to the disk: ${String(error)}`,
        { path: this.#path },
        { cause: error },
      );
    }
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#lastFlush;
    this.#statements.clear();
    await this.#log.close();
    this.#database.close();
  }

  /** From the log, as it is read back, to the database file, which is flushed; the log begins anew. */
  #makeLogSound(): void {
    if (this.#logIsSound) return;
    const done = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (done.busy !== 0) throw new ShoalError('io.failed', `${this.#path} is in use by another process`);
    this.#logIsSound = true;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #explain(error: unknown): ShoalError {
    if (error instanceof ShoalError) return error;
    const { errcode, message } = error as { errcode?: number; message?: string };
    // Primary result codes, sqlite.org/rescode.html: SQLITE_FULL.
    if (errcode !== undefined && (errcode & 0xff) === 13) {
      return new ShoalError(
        'io.disk-full',
        `no space is left for ${this.#path}`,
        { path: this.#path },
        { cause: error },
      );
    }
    if (errcode === undefined) return asShoalError(error);
    return new ShoalError('io.failed', `${this.#path}: ${message}`, { path: this.#path }, { cause: error });
  }
}
