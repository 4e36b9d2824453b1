import { close, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** What brings SQLite's write-ahead log to the disk. */
export interface LogFlush {
  /** Resolves when everything that was committed before the call is on the disk. @throws what the system says. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Flushes in a thread of the pool. With `synchronous=FULL` SQLite would do the same at each commit, but in the thread of the event loop: an SD card takes
 * 5 to 200 ms for it. SQLite never puts another file in the log's place while the database is open.
 */
export function openLogFlush(databasePath: string): LogFlush {
  // Writable: Windows flushes nothing else.
  const log = openSync(`${databasePath}-wal`, 'r+');
  const sync = promisify(fdatasync);
  return { flush: () => sync(log), close: () => promisify(close)(log) };
}
