import { asShoalError, ShoalError } from '../../errors/index.ts';
import { backoffMs, type Clock, delay, type Logger, type Random } from '../../runtime/index.ts';
import type { FrameStream } from './frame-stream.ts';
import type { Libp2pLimits } from './limits.ts';

export interface KeepOpenOptions {
  readonly name: string;
  readonly limits: Pick<Libp2pLimits, 'backoff' | 'stableMs'>;
  open(signal: AbortSignal): Promise<FrameStream>;
  /** Resolves when the stream has ended: with the reason. */
  use(stream: FrameStream): Promise<ShoalError>;
}

/** While a peer cannot be reached, one line in so many ms says so: days without it must not fill a log. */
const sayEveryMs = 60_000;

/** Keeps one stream open for ever: whatever ends it, the next is tried after a jittered wait, or as soon as there is something new to try. */
export class KeepOpen {
  readonly #deps: { readonly clock: Clock; readonly random: Random; readonly logger: Logger };
  readonly #options: KeepOpenOptions;
  readonly #stop = new AbortController();
  #wake = () => {};
  #running: Promise<void> | undefined;
  /** When it was last said that there is no stream, monotonic ms; `undefined` once there was one again. */
  #saidMs: number | undefined;

  constructor(
    deps: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    options: KeepOpenOptions,
  ) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Tries now instead of waiting on. */
  wake(): void {
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new ShoalError('closed', `${this.#options.name} was stopped`));
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const { backoff, stableMs } = this.#options.limits;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = clock.monotonicMs();
      const ended = await this.#once(signal);
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs >= stableMs) attempt = 0;
      const waitMs = backoffMs(attempt, backoff, random);
      this.#say(ended, waitMs);
      await this.#rest(waitMs, signal);
    }
  }

  async #once(signal: AbortSignal): Promise<ShoalError> {
    try {
      const stream = await this.#options.open(signal);
      this.#saidMs = undefined;
      return await this.#options.use(stream);
    } catch (error) {
      return asShoalError(error);
    }
  }

  async #rest(waitMs: number, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    this.#wake = () => awake.abort();
    const { clock } = this.#deps;
    const either = AbortSignal.any([signal, awake.signal]);
    await delay(clock, `${this.#options.name}: dial again`, waitMs, either).catch(() => {});
    this.#wake = () => {};
  }

  #say({ code, message }: ShoalError, waitMs: number): void {
    const { clock, logger } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.#saidMs !== undefined && nowMs - this.#saidMs < sayEveryMs) return;
    this.#saidMs = nowMs;
    logger.warn('not connected to the coordinator, trying again', { code, why: message, waitMs: Math.round(waitMs) });
  }
}
