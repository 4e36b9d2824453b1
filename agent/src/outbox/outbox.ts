import {
  asShoalError,
  type BackoffOptions,
  backoffMs,
  type Clock,
  type Logger,
  type PayloadInit,
  type Random,
  type Service,
  ShoalError,
} from '@shoal/protocol';
import type { OutboxStore } from '../store/index.ts';
import { fromEntry, type Result, sizeOfResult, toEntry, toMessage, workOf } from './result.ts';

export type { Result };

export interface OutboxOptions {
  /** Most results that wait. Statements are never given up: at this many, no further one is taken. */
  readonly mostResults: number;
  /** Most bytes that wait. When they are reached, the payloads of the oldest camera reports go. */
  readonly mostBytes: number;
  /** Results that are on their way at the same time. */
  readonly window: number;
  /** A result that is not acknowledged after this time is written down. */
  readonly persistAfterMs: number;
  /** How long {@link Outbox.drain} waits for acknowledgements. */
  readonly flushMs: number;
  /** How long one delivery goes on asking before it is begun anew. */
  readonly deliveryTimeoutMs: number;
  /** A result that the coordinator fails on, rather than refuses, is offered this often. */
  readonly failures: number;
  readonly backoff: BackoffOptions;
}

const defaultOutboxOptions: OutboxOptions = {
  mostResults: 200_000,
  mostBytes: 128 * 1024 * 1024,
  window: 256,
  persistAfterMs: 50,
  flushMs: 5_000,
  deliveryTimeoutMs: 60_000,
  failures: 8,
  backoff: { firstMs: 500, maxMs: 30_000, factor: 2 },
};

/** Brings one message to the coordinator; resolves when it is acknowledged. */
export type Courier = (message: PayloadInit, options: { readonly timeoutMs: number }) => Promise<unknown>;

interface Deps {
  readonly courier: Courier;
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface OutboxCounts {
  readonly waiting: number;
  readonly sizeBytes: number;
  readonly delivered: number;
  /** Camera reports that went without their payload because there was no room. */
  readonly shed: number;
  /** Results that the coordinator would not have. */
  readonly refused: number;
}

/** A result in memory. */
interface Entry {
  readonly id: number;
  readonly result: Result;
  readonly sizeBytes: number;
  readonly addedMs: number;
  /** `no`: only here; `being`: a write is under way; `yes`: on the disk. */
  stored: 'no' | 'being' | 'yes';
  gone: boolean;
  failures: number;
}

/** A write that failed (a full disk) is tried again after this time, ms. */
const rewriteMs = 5_000;

/**
 * Results on their way to the coordinator, in the order in which they were made, until it has acknowledged them (DESIGN section 8).
 *
 * A result is sent first and written down only when it is not acknowledged within `persistAfterMs`. While the coordinator answers, nothing is
 * written at all: no wear on an SD card, no wait for it. What a crash takes with it in that time is what was not yet promised to anybody: a
 * task's attempt is missing from the next Hello and tried again, and a camera's picture is one that was not looked at.
 *
 * Three places, oldest results first: those on their way (`#window`), those on the disk that are not in memory (`#backlog`), and those that were
 * added since (`#fresh`), which become backlog when they are written down.
 */
export class Outbox implements Service {
  readonly name = 'outbox';
  readonly #deps: Deps;
  readonly #options: OutboxOptions;
  #stopped = false;
  /** The coordinator revoked this device: what waits stays here. */
  #revoked = false;
  readonly #window = new Map<number, Entry>();
  #fresh: Entry[] = [];
  #acknowledged: number[] = [];
  #backlog = 0;
  /** Everything on the disk up to this id is in the window or gone. */
  #readUpTo = 0;
  #nextId = 1;
  /** What is in memory only. */
  #unstored = { count: 0, sizeBytes: 0 };
  #pumping = false;
  #cancelPersist: (() => void) | undefined;
  #delivered = 0;
  #shed = 0;
  #refused = 0;
  #onEmpty: (() => void) | undefined;

  constructor(deps: Deps, options: Partial<OutboxOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultOutboxOptions, ...options };
    this.#backlog = deps.store.totals().count;
    this.#nextId = deps.store.lastId() + 1;
  }

  get counts(): OutboxCounts {
    const stored = this.#deps.store.totals();
    return {
      waiting: this.#window.size + this.#backlog + this.#fresh.length,
      sizeBytes: stored.sizeBytes + this.#unstored.sizeBytes,
      delivered: this.#delivered,
      shed: this.#shed,
      refused: this.#refused,
    };
  }

  /** Attempts that are done and whose outcome waits here: to the coordinator they are still with this device. */
  get attempts(): readonly string[] {
    const attempts: string[] = [];
    for (const { result } of [...this.#window.values(), ...this.#fresh])
      if (result.kind === 'task-outcome' && result.message.attemptId) attempts.push(result.message.attemptId);
    return attempts;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#backlog > 0) this.#deps.logger.info('results wait from before', { results: this.#backlog });
    this.#pump();
  }

  /**
   * Takes a result. From here on it is delivered, or it waits.
   * @throws `queue.full` when not even statements have room; `closed` after {@link stop}.
   */
  add(result: Result): void {
    if (this.#stopped) throw new ShoalError('closed', 'the outbox is stopped');
    const sizeBytes = sizeOfResult(result);
    this.#checkRoom(sizeBytes);
    this.#fresh.push({
      id: this.#nextId++,
      result,
      sizeBytes,
      addedMs: this.#deps.clock.monotonicMs(),
      stored: 'no',
      gone: false,
      failures: 0,
    });
    this.#unstored.count += 1;
    this.#unstored.sizeBytes += sizeBytes;
    this.#persistLater(this.#options.persistAfterMs);
    this.#pump();
  }

  /** Waits a while for the last acknowledgements, and writes down what has none. */
  async drain(signal: AbortSignal): Promise<void> {
    await this.#emptyOr(this.#options.flushMs, signal);
    await this.#persist(0);
  }

  async stop(): Promise<void> {
    this.#cancelPersist?.();
    await this.#persist(0);
    this.#stopped = true;
    await this.#forget();
  }

  #checkRoom(sizeBytes: number): void {
    const { waiting, sizeBytes: usedBytes } = this.counts;
    const { mostResults, mostBytes } = this.#options;
    if (waiting >= mostResults) {
      throw new ShoalError('queue.full', `${waiting} results wait for the coordinator, the most that are kept`, {
        waiting,
      });
    }
    if (usedBytes + sizeBytes <= mostBytes) return;
    // A good piece at once, or every further result would have to make its own room.
    void this.#shedPayloads(usedBytes + sizeBytes - mostBytes + mostBytes / 16);
    if (this.counts.sizeBytes + sizeBytes <= mostBytes) return;
    throw new ShoalError(
      'queue.full',
      `${usedBytes} bytes of statements wait for the coordinator, the most that are kept`,
      {
        sizeBytes: usedBytes,
      },
    );
  }

  async #shedPayloads(sizeBytes: number): Promise<void> {
    const { store, logger } = this.#deps;
    try {
      const shed = await store.shedPayloads(sizeBytes);
      if (shed.reports > 0 && this.#shed === 0) {
        logger.warn('the outbox is full: the oldest reports go without their content', { ...shed });
      }
      this.#shed += shed.reports;
    } catch (error) {
      logger.error('no room can be made in the outbox', { error: asShoalError(error).message });
    }
  }

  #pump(): void {
    if (this.#pumping || this.#stopped || this.#revoked) return;
    while (this.#window.size < this.#options.window) {
      if (this.#backlog > 0) {
        this.#pumping = true;
        void this.#readBacklog();
        return;
      }
      const next = this.#fresh.shift();
      if (!next) return;
      this.#window.set(next.id, next);
      void this.#deliver(next);
    }
  }

  async #readBacklog(): Promise<void> {
    const { store, clock, logger } = this.#deps;
    try {
      const entries = await store.read(this.#readUpTo, this.#options.window - this.#window.size);
      if (entries.length === 0) this.#backlog = 0;
      for (const stored of entries) {
        const result = fromEntry(stored);
        const entry: Entry = {
          id: stored.id,
          result,
          sizeBytes: sizeOfResult(result),
          addedMs: clock.monotonicMs(),
          stored: 'yes',
          gone: false,
          failures: 0,
        };
        this.#readUpTo = stored.id;
        this.#backlog -= 1;
        this.#window.set(entry.id, entry);
        void this.#deliver(entry);
      }
      this.#pumping = false;
      this.#pump();
    } catch (error) {
      logger.error('results cannot be read from the outbox', { error: asShoalError(error).message });
      clock.after('outbox: read again', rewriteMs, () => {
        this.#pumping = false;
        this.#pump();
      });
    }
  }

  async #deliver(entry: Entry): Promise<void> {
    const { courier, logger } = this.#deps;
    try {
      await courier(toMessage(entry.result), { timeoutMs: this.#options.deliveryTimeoutMs });
      if (this.#stopped) return;
      this.#delivered += 1;
    } catch (thrown) {
      if (this.#stopped) return;
      const error = asShoalError(thrown);
      if (error.code === 'device.revoked') return this.#endDeliveries();
      if (this.#deliverAgain(entry, error)) return;
      this.#refused += 1;
      logger.warn('the coordinator does not take a result', {
        ...workOf(entry.result),
        code: error.code,
        why: error.message,
      });
    }
    this.#acknowledge(entry);
  }

  /** Whether the result is offered again later; `false`: the coordinator has said no for good. */
  #deliverAgain(entry: Entry, error: ShoalError): boolean {
    // A coordinator that fails on a result every time would hold up the others for ever.
    const failed = error.code === 'defect' || error.code === 'reply.failed';
    if (failed && ++entry.failures >= this.#options.failures) return false;
    // It does not know this device just now: it will, after the next Hello.
    if (!error.retryable && !failed && error.code !== 'device.unknown') return false;
    const waitMs = backoffMs(entry.failures, this.#options.backoff, this.#deps.random);
    this.#deps.clock.after('outbox: deliver again', waitMs, () => {
      if (!this.#stopped && !this.#revoked) void this.#deliver(entry);
    });
    return true;
  }

  #endDeliveries(): void {
    this.#revoked = true;
    this.#onEmpty?.();
  }

  #acknowledge(entry: Entry): void {
    entry.gone = true;
    this.#window.delete(entry.id);
    if (entry.stored === 'no') this.#noLongerUnstored(entry);
    if (entry.stored === 'yes') this.#forgetSoon(entry.id);
    this.#pump();
    if (this.counts.waiting === 0) this.#onEmpty?.();
  }

  #noLongerUnstored(entry: Entry): void {
    this.#unstored.count -= 1;
    this.#unstored.sizeBytes -= entry.sizeBytes;
  }

  #forgetSoon(id: number): void {
    if (this.#acknowledged.length === 0) this.#deps.clock.soon('outbox: forget', () => void this.#forget());
    this.#acknowledged.push(id);
  }

  async #forget(): Promise<void> {
    const ids = this.#acknowledged;
    this.#acknowledged = [];
    if (ids.length === 0) return;
    try {
      await this.#deps.store.remove(ids);
    } catch (error) {
      // They come again after a restart, and the coordinator keeps one of each.
      this.#deps.logger.warn('delivered results stay in the outbox', { error: asShoalError(error).message });
    }
  }

  #persistLater(delayMs: number): void {
    if (this.#cancelPersist) return;
    this.#cancelPersist = this.#deps.clock.after('outbox: write down', delayMs, () => {
      this.#cancelPersist = undefined;
      void this.#persist(this.#options.persistAfterMs);
    });
  }

  /** Writes down what is older than `minAgeMs` and only in memory, all in one commit. */
  async #persist(minAgeMs: number): Promise<void> {
    const { clock, store, logger } = this.#deps;
    const nowMs = clock.monotonicMs();
    const old = (entry: Entry) => entry.stored === 'no' && nowMs - entry.addedMs >= minAgeMs;
    const entries = [...[...this.#window.values()].filter(old), ...this.#fresh.filter(old)];
    let nextMs = this.#options.persistAfterMs;
    if (entries.length > 0) {
      for (const entry of entries) entry.stored = 'being';
      try {
        await store.append(entries.map(({ id, result }) => toEntry(id, result)));
        this.#wereStored(entries);
      } catch (thrown) {
        for (const entry of entries) {
          entry.stored = 'no';
          if (entry.gone) this.#noLongerUnstored(entry);
        }
        const error = asShoalError(thrown);
        if (error.code === 'closed') return;
        logger.error('results cannot be written to the outbox: they are only in memory', {
          code: error.code,
          why: error.message,
        });
        nextMs = rewriteMs;
      }
    }
    if (this.#unstored.count > 0 && !this.#stopped) this.#persistLater(nextMs);
  }

  #wereStored(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.stored = 'yes';
      this.#noLongerUnstored(entry);
      if (entry.gone) this.#forgetSoon(entry.id);
      if (entry.gone || this.#window.has(entry.id)) this.#readUpTo = Math.max(this.#readUpTo, entry.id);
    }
    // What waits for room in the window waits on the disk.
    const before = this.#fresh.length;
    this.#fresh = this.#fresh.filter(({ stored }) => stored !== 'yes');
    this.#backlog += before - this.#fresh.length;
    this.#pump();
  }

  async #emptyOr(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.counts.waiting === 0 || this.#revoked) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#deps.clock.after('outbox: last deliveries', timeoutMs, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }
}
