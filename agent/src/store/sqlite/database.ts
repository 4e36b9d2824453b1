import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { asShoalError, ShoalError } from '@shoal/protocol';
import { migrate } from './schema.ts';

/** One SQLite file: prepared statements are kept, and every transaction first runs what `beforeCommit` adds to it. */
export class Database {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #beforeCommit = () => {};
  #closed = false;

  /** @throws `io.failed` when the file cannot be opened or is no database */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#database = new DatabaseSync(path);
      // FULL: in WAL mode a commit is on the disk when it returns (sqlite.org/pragma.html#pragma_synchronous).
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
      migrate(this.#database, path);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Runs as part of every transaction, before its end. */
  beforeCommit(action: () => void): void {
    this.#beforeCommit = action;
  }

  /** Durable when it returns. @throws `io.disk-full`, `io.failed`; then nothing of it has happened. */
  transaction<T>(action: () => T): T {
    if (this.#closed) throw new ShoalError('closed', 'the store is closed');
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = action();
        this.#beforeCommit();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    } catch (error) {
      throw this.#explain(error);
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#database.close();
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
