import type { LogFlush } from './log-flush.ts';

/** Brings what the log holds to the database file and begins the log anew. */
export interface Checkpointer {
  /** @throws what SQLite says */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/** SQLite's own default is 1000 pages. */
const mostLogBytes = 4 * 1024 * 1024;

/**
 * Keeps SQLite's write-ahead log on the disk, and short, without ever holding up the event loop: commits are flushed by a thread of the pool and
 * checkpoints, with the two flushes that they need, made by another. While one is made commits wait, so the log is never longer than the limit and one commit.
 */
export class LogKeeper {
  readonly #log: LogFlush;
  readonly #checkpointer: Checkpointer;
  readonly #mostBytes: number;
  #nextAtBytes: number;
  /** The checkpoint under way: one at a time. */
  #running: Promise<void> | undefined;
  /** The system may forget what it failed to flush: then nothing in the log is sure, and what follows in it is not either. */
  #isSound = true;

  constructor(log: LogFlush, checkpointer: Checkpointer, mostBytes: number = mostLogBytes) {
    this.#log = log;
    this.#checkpointer = checkpointer;
    this.#mostBytes = mostBytes;
    this.#nextAtBytes = mostBytes;
  }

  /** Before each transaction. @throws what SQLite says, when an earlier flush failed and what it left in doubt cannot be made durable otherwise. */
  async ready(): Promise<void> {
    await this.#running?.catch(() => {});
    // From the log, as it is read back, to the database file, which is flushed.
    if (!this.#isSound) await this.#checkpoint();
  }

  /** After each transaction that is to be durable: resolves when it is on the disk. @throws what the system says */
  async flush(): Promise<void> {
    try {
      await this.#log.flush();
    } catch (error) {
      this.#isSound = false;
      throw error;
    }
    this.keepShort();
  }

  /** After each transaction that is not flushed: has the log begun anew when it is long. */
  keepShort(): void {
    const sizeBytes = this.#log.sizeBytes();
    if (this.#running || sizeBytes < this.#nextAtBytes) return;
    this.#checkpoint().catch(() => {
      // What was committed is safe in the log; it is tried again when the log has grown as much again.
      this.#nextAtBytes = sizeBytes + this.#mostBytes;
    });
  }

  /** When nothing is committed any more. */
  async close(): Promise<void> {
    await this.#running?.catch(() => {});
    await this.#checkpointer.close();
    await this.#log.close();
  }

  #checkpoint(): Promise<void> {
    this.#running ??= this.#beginAnew().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #beginAnew(): Promise<void> {
    await this.#checkpointer.checkpoint();
    this.#isSound = true;
    this.#nextAtBytes = this.#mostBytes;
  }
}
