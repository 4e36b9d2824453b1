import { asShoalError, type Clock, delay, type Logger, type Service } from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import type { Retention, Store } from '../store/index.ts';

/** How often what is past its time is looked for, ms. */
const periodMs = 10_000;
/** Records deleted in one go. */
const batchSize = 500;
/** A wall clock that moved so much more or less than time went by was set, ms. */
const setByMs = 60_000;
/** A board without a battery for its clock starts years off, and is set right once it has a network: until then nothing is taken for old, ms. */
const trustAfterMs = 3_600_000;
/** An age that nothing reaches, ms. */
const never = Number.MAX_SAFE_INTEGER;

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
  /** Wall clock less monotonic time at the last look, and since when it stays the same; ms. */
  #offsetMs = Number.NaN;
  #soundSinceMs = 0;
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
    const trusted = this.#isClockTrusted();
    const retention = trusted
      ? this.#retention
      : { ...this.#retention, endedTaskAgeMs: never, cameraResultAgeMs: never, eventAgeMs: never };
    while (full(await store.prune(retention, clock.nowMs(), batchSize))) await breath(clock);
    while (trusted && (await blobs.sweep()) > 0 && !signal.aborted) await breath(clock);
  }

  /** A clock that was set makes all that there is look years old, or will be set back. */
  #isClockTrusted(): boolean {
    const { clock, logger } = this.#deps;
    const nowMs = clock.monotonicMs();
    const offsetMs = clock.nowMs() - nowMs;
    const movedMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(movedMs) <= setByMs) return nowMs - this.#soundSinceMs >= trustAfterMs;
    this.#soundSinceMs = nowMs;
    if (!Number.isNaN(movedMs))
      logger.warn('the clock was set: nothing is deleted for its age for an hour', {
        movedSeconds: Math.round(movedMs / 1_000),
      });
    return false;
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
