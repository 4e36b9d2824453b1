import { close, fdatasync, open, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { pageBytes } from './open-database.ts';

/** What brings a commit to the disk. */
export interface LogFlush {
  /** Resolves when everything that was committed before the call is on the disk. @throws what the system says. */
  flush(): Promise<void>;
  /** What has been written to it since it was last begun anew. The file stays as large as it once was: growing it again would be flushed along. */
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
  const index = await promisify(open)(`${databasePath}-shm`, 'r');
  const sync = promisify(fdatasync);
  return {
    flush: () => sync(log),
    sizeBytes: () => framesIn(index) * frameBytes,
    async close() {
      await promisify(close)(index);
      await promisify(close)(log);
    },
  };
}

/** A page and its head (https://www.sqlite.org/walformat.html#the_write_ahead_log_or_wal_file). */
const frameBytes = pageBytes + 24;
/** In the order of bytes that the machine has. */
const word = new Uint32Array(1);

/** Pages in the log, as its index says: `mxFrame`, a word at byte 16 (the same page, the WAL-index header). */
function framesIn(index: number): number {
  readSync(index, word, 0, 4, 16);
  return word[0] ?? 0;
}
