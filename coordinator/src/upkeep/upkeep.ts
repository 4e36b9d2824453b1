import { asShoalError, type Clock, delay, type Logger, type Service } from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import type { Retention, Store } from '../store/index.ts';

/** How often what is past its time is looked for, ms. */
const periodMs = 10_000;
/** Records deleted in one go. */
const batchSize = 500;

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, 'prune'>;
  readonly blobs: BlobKeeper;
}

/** Deletes what is past its time, a little at a time, so that the disk does not fill up and nothing waits for it. */
export class Upkeep implements Service {
  readonly name = 'upkeep';
  readonly #deps: Deps;
  readonly #retention: Retention;
  readonly #stopping = new AbortController();
  #over: Promise<void> = Promise.resolve();

  constructor(deps: Deps, retention: Retention) {
    this.#deps = deps;
    this.#retention = retention;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#over = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#over;
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#guarded(() => this.#deps.blobs.removeOrphans(signal));
    while (!signal.aborted) {
      await this.#guarded(() => this.#clean(signal));
      await delay(this.#deps.clock, 'upkeep: next', periodMs, signal).catch(() => {});
    }
  }

  async #clean(signal: AbortSignal): Promise<void> {
    const { clock, store, blobs } = this.#deps;
    const full = (gone: number) => gone >= batchSize && !signal.aborted;
    while (full(await store.prune(this.#retention, clock.nowMs(), batchSize))) await breath(clock);
    while ((await blobs.sweep()) > 0 && !signal.aborted) await breath(clock);
  }

  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#deps.logger.warn('what is past its time could not be deleted', { why: asShoalError(error).message });
    }
  }
}

/** Lets everything else go first. */
function breath(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon('upkeep: go on', resolve));
}
