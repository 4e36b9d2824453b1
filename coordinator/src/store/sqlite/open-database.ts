import { DatabaseSync } from 'node:sqlite';
import { ShoalError } from '@shoal/protocol';
import { migrations } from './schema.ts';

/** SQLite's default. */
export const pageBytes = 4096;

/**
 * Opens the coordinator's database, or makes it. A commit is written to the log; it is on the disk once the log is flushed.
 * @throws `io.failed` with what to do when the file is not a sound database of this version; `io.disk-full`.
 */
export function openDatabase({
  path,
  mostBytes,
}: {
  readonly path: string;
  readonly mostBytes?: number;
}): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    // See LogKeeper.
    database.exec('PRAGMA wal_autocheckpoint = 0');
    migrate(database, path);
    if (mostBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(mostBytes / pageBytes)}`);
    return database;
  } catch (error) {
    database?.close();
    throw storeError(error, path);
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new ShoalError(
      'io.failed',
      `${path} was written by a later version of Shoal (schema ${version}, this one knows ${migrations.length}): start that version, or choose another data folder`,
      { path },
    );
  }
  for (let step = version; step < migrations.length; step++) {
    database.exec(`BEGIN; ${migrations[step]}; PRAGMA user_version = ${step + 1}; COMMIT;`);
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const sqliteFull = 13;
const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** What SQLite says, as an error that says what to do. */
export function storeError(thrown: unknown, path: string): ShoalError {
  if (thrown instanceof ShoalError) return thrown;
  const { errcode, message } = thrown as { errcode?: number; message?: string };
  const primary = (errcode ?? 0) & 0xff;
  const options = { cause: thrown };
  switch (primary) {
    case sqliteFull:
      return new ShoalError(
        'io.disk-full',
        `no space is left for ${path}: free some, nothing was lost`,
        { path },
        options,
      );
    case sqliteBusy:
      return new ShoalError(
        'io.failed',
        `${path} is in use by another process: is a coordinator running on it?`,
        { path },
        options,
      );
    case sqliteCorrupt:
    case sqliteNotADatabase:
      return new ShoalError(
        'io.failed',
        `${path} is damaged or not a database (${message}): put a backup in its place, or move it away to start anew`,
        { path },
        options,
      );
    default:
      return new ShoalError(
        'io.failed',
        `the database ${path} failed: ${message ?? String(thrown)}`,
        { path },
        options,
      );
  }
}
