import { asShoalError, type Clock, type Logger } from '@shoal/protocol';
import type { LogFlush } from './log-flush.ts';

/** Brings what the log holds to the database file and begins the log anew. */
export interface Checkpointer {
  /** @throws what SQLite says */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/** SQLite's own default is 1000 pages. */
const mostLogBytes = 4 * 1024 * 1024;
/** Checkpoints that go on failing are told of so often, ms. */
const sayAgainMs = 3_600_000;

interface Deps {
  readonly log: LogFlush;
  readonly checkpointer: Checkpointer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps SQLite's write-ahead log on the disk, and short, without ever holding up the event loop: commits are flushed by a thread of the pool and
 * checkpoints, with the two flushes that they need, made by another. While one is made commits wait, so the log is never longer than the limit and one commit.
 */
export class LogKeeper {
  readonly #deps: Deps;
  readonly #mostBytes: number;
  #nextAtBytes: number;
  /** The checkpoint under way: one at a time. */
  #running: Promise<void> | undefined;
  /** The system may forget what it failed to flush: then nothing in the log is sure, and what follows in it is not either. */
  #isSound = true;
  /** When it was last said that checkpoints fail, monotonic ms; `undefined`: the last one did not. */
  #saidMs: number | undefined;

  constructor(deps: Deps, mostBytes: number = mostLogBytes) {
    this.#deps = deps;
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
      await this.#deps.log.flush();
    } catch (error) {
      this.#isSound = false;
      throw error;
    }
    this.keepShort();
  }

  /** After each transaction that is not flushed: has the log begun anew when it is long. */
  keepShort(): void {
    const sizeBytes = this.#deps.log.sizeBytes();
    if (this.#running || sizeBytes < this.#nextAtBytes) return;
    this.#checkpoint().catch(() => {
      // What was committed is safe in the log; it is tried again when the log has grown as much again.
      this.#nextAtBytes = sizeBytes + this.#mostBytes;
    });
  }

  /** When nothing is committed any more. */
  async close(): Promise<void> {
    await this.#running?.catch(() => {});
    await this.#deps.checkpointer.close();
    await this.#deps.log.close();
  }

  #checkpoint(): Promise<void> {
    this.#running ??= this.#beginAnew().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #beginAnew(): Promise<void> {
    try {
      await this.#deps.checkpointer.checkpoint();
    } catch (error) {
      this.#sayThatItFails(error);
      throw error;
    }
    this.#isSound = true;
    this.#nextAtBytes = this.#mostBytes;
    if (this.#saidMs !== undefined) this.#deps.logger.info("the database's log was begun anew again");
    this.#saidMs = undefined;
  }

  /** Nobody else notices: commits succeed, and the log takes more and more of the disk. */
  #sayThatItFails(error: unknown): void {
    const { clock, logger, log } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.#saidMs !== undefined && nowMs - this.#saidMs < sayAgainMs) return;
    this.#saidMs = nowMs;
    logger.error(
      "the database's log cannot be brought to the database file and grows: make room on its disk, and end other programs that have the database open",
      { logBytes: log.sizeBytes(), error: asShoalError(error).message },
    );
  }
}
