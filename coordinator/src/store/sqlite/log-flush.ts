import { close, fdatasync, fstatSync, open } from 'node:fs';
import { promisify } from 'node:util';

/** What brings a commit to the disk. */
export interface LogFlush {
  /** Resolves when everything that was committed before the call is on the disk. @throws what the system says. */
  flush(): Promise<void>;
  sizeBytes(): number;
  close(): Promise<void>;
}

const nowhere: LogFlush = { flush: async () => {}, sizeBytes: () => 0, close: async () => {} };

/**
 * Flushes SQLite's write-ahead log from a thread of the pool. With `synchronous=FULL` SQLite would do the same at each commit, but in the thread of the
 * event loop: an SD card takes 5 to 200 ms for it, in which nothing else would be answered. SQLite never puts another file in the log's place while the
 * database is open, and flushes it by itself before a checkpoint, with `synchronous=NORMAL` (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
export async function openLogFlush(databasePath: string): Promise<LogFlush> {
  if (databasePath === ':memory:') return nowhere;
  // Writable: Windows flushes nothing else.
  const log = await promisify(open)(`${databasePath}-wal`, 'r+');
  const sync = promisify(fdatasync);
  return { flush: () => sync(log), sizeBytes: () => fstatSync(log).size, close: () => promisify(close)(log) };
}
