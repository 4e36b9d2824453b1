import { asShoalError, type Logger, ShoalError } from '@shoal/protocol';
import type { InferenceParameters, ModelFrame } from '../../stages/index.ts';
import type { LoadableModel } from '../engine.ts';
import { WaitingLine } from '../waiting-line.ts';
import type { InferenceThread } from './inference-thread.ts';
import type { LoadReply, RunReply } from './messages.ts';

/** Deaths in a row, with no run completed between them, after which a seat stays empty. */
const deathLimit = 3;

export interface ThreadPoolDeps {
  readonly logger: Logger;
  spawn(onDeath: (reason: ShoalError) => void): InferenceThread;
}

export interface ThreadPoolOptions {
  readonly workers: number;
  /** Most runs that wait while every worker is busy. */
  readonly queueLimit: number;
}

interface Run {
  readonly key: number;
  readonly frame: ModelFrame;
  readonly parameters: InferenceParameters;
  resolve(reply: RunReply): void;
  reject(error: ShoalError): void;
}

/** A place for one thread. A thread that dies is replaced, with all models loaded again. */
interface Seat {
  thread: InferenceThread | undefined;
  busy: boolean;
  deaths: number;
}

/** Spreads runs over inference threads, each holding every loaded model. No model, no threads. */
export class ThreadPool {
  readonly #deps: ThreadPoolDeps;
  readonly #seats: readonly Seat[];
  readonly #waiting: WaitingLine<Run>;
  readonly #models = new Map<number, LoadableModel>();
  /** Those that end are among them until they have ended. */
  readonly #alive = new Set<InferenceThread>();
  #nextKey = 0;
  #endings: Promise<unknown> = Promise.resolve();

  constructor(deps: ThreadPoolDeps, options: ThreadPoolOptions) {
    this.#deps = deps;
    this.#seats = Array.from({ length: options.workers }, () => ({ thread: undefined, busy: false, deaths: 0 }));
    this.#waiting = new WaitingLine(options.queueLimit);
  }

  /** Loads the model into every thread. Returns the key that {@link run} and {@link release} take. */
  async load(model: LoadableModel): Promise<{ readonly key: number; readonly loadMs: number }> {
    const key = this.#nextKey++;
    for (const seat of this.#seats) {
      if (seat.thread) continue;
      seat.deaths = 0;
      this.#fill(seat);
    }
    this.#models.set(key, model);
    const loads = await Promise.allSettled(this.#seats.map((seat) => this.#ask(seat, key, model)));
    const failed = loads.find((load) => load.status === 'rejected');
    if (failed) {
      await this.release(key);
      throw asShoalError(failed.reason, 'engine.failed');
    }
    const loadMs = Math.max(...loads.map((load) => (load.status === 'fulfilled' ? load.value.loadMs : 0)));
    return { key, loadMs };
  }

  /** See `LoadedModel.infer`. */
  run(key: number, frame: ModelFrame, parameters: InferenceParameters, signal: AbortSignal): Promise<RunReply> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) throw asShoalError(signal.reason, 'aborted');
      if (!this.#models.has(key)) throw new ShoalError('closed', 'the model was released');
      if (!this.#seats.some((seat) => seat.thread)) throw outOfOrder();
      const run = { key, frame, parameters, resolve, reject };
      const idle = this.#seats.find((seat) => seat.thread && !seat.busy);
      if (idle) this.#start(idle, run);
      else this.#waiting.join(run, signal, reject);
    });
  }

  /** Unloads the model once its running runs are over; those that wait fail with `closed`. */
  async release(key: number): Promise<void> {
    this.#models.delete(key);
    this.#waiting.failAll(new ShoalError('closed', 'the model was released'), (run) => run.key === key);
    // A thread answers in order, so its answer to this comes after the runs it has in hand. One that dies has released, too.
    await Promise.allSettled(this.#seats.map(({ thread }) => thread?.request({ kind: 'release', key })));
    if (this.#models.size === 0) await this.#endThreads();
  }

  /** Everything in hand fails with `closed`. */
  async dispose(): Promise<void> {
    this.#models.clear();
    this.#waiting.failAll(new ShoalError('closed', 'the engine was stopped'));
    await this.#endThreads();
  }

  /** Blocks until no thread is within the runtime, and keeps them out: the process can end now. */
  hold(): void {
    for (const thread of this.#alive) thread.hold();
  }

  #start(seat: Seat, run: Run): void {
    const { thread } = seat;
    if (!thread) throw outOfOrder();
    seat.busy = true;
    const { key, parameters } = run;
    const { pixels, placement } = run.frame;
    thread
      .request({ kind: 'run', key, pixels, placement, parameters })
      .then((reply) => {
        seat.deaths = 0;
        run.resolve(reply as RunReply);
      })
      .catch((error: unknown) => run.reject(asShoalError(error, 'engine.failed')))
      .finally(() => {
        // A replaced thread is nobody's business here: its seat was made free when it was filled.
        if (seat.thread === thread) this.#free(seat);
      });
  }

  #free(seat: Seat): void {
    seat.busy = false;
    const next = this.#waiting.take();
    if (next) this.#start(seat, next);
  }

  async #ask(seat: Seat, key: number, model: LoadableModel): Promise<LoadReply> {
    if (!seat.thread) throw outOfOrder();
    return (await seat.thread.request({ kind: 'load', key, model })) as LoadReply;
  }

  /** Puts a thread with every model into the seat. */
  #fill(seat: Seat): void {
    const thread = this.#deps.spawn((reason) => {
      this.#alive.delete(thread);
      this.#replace(seat, reason);
    });
    seat.thread = thread;
    this.#alive.add(thread);
    // A thread works in order: a run that it is given before these are loaded waits for them.
    for (const [key, model] of this.#models) {
      this.#ask(seat, key, model).catch((error: unknown) => this.#lost(model, error));
    }
    this.#free(seat);
  }

  #replace(seat: Seat, reason: ShoalError): void {
    seat.deaths += 1;
    seat.thread = undefined;
    this.#deps.logger.warn('inference thread died', { reason: reason.message, deathsInARow: seat.deaths });
    if (seat.deaths < deathLimit) this.#fill(seat);
    else if (!this.#seats.some(({ thread }) => thread)) this.#waiting.failAll(outOfOrder());
  }

  #lost(model: LoadableModel, error: unknown): void {
    const { message } = asShoalError(error);
    this.#deps.logger.error('model could not be loaded again', { model: model.manifest.name, reason: message });
  }

  #endThreads(): Promise<unknown> {
    const threads = this.#seats.map((seat) => {
      const { thread } = seat;
      seat.thread = undefined;
      seat.busy = false;
      return thread?.stop().finally(() => this.#alive.delete(thread));
    });
    this.#endings = Promise.all([this.#endings, ...threads]);
    return this.#endings;
  }
}

function outOfOrder(): ShoalError {
  return new ShoalError(
    'engine.unavailable',
    `inference threads died ${deathLimit} times in a row; load the model again to try anew`,
  );
}
