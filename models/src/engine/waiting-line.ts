import { asShoalError, ShoalError } from '@shoal/protocol';

interface Waiting<T> {
  readonly job: T;
  leave(): void;
  fail(error: ShoalError): void;
}

/** Runs that wait for a free worker, in order. Bounded, and a run whose signal fires leaves the line at once. */
export class WaitingLine<T> {
  readonly #limit: number;
  readonly #line: Waiting<T>[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#line.length;
  }

  /**
   * Joins the end of the line. `fail` is called when the job leaves it without having been taken: with `aborted`, or with the
   * reason given to {@link failAll}.
   * @throws `queue.full`
   */
  join(job: T, signal: AbortSignal, fail: (error: ShoalError) => void): void {
    if (this.#line.length >= this.#limit) {
      throw new ShoalError('queue.full', `${this.#limit} runs wait for this engine already`, { limit: this.#limit });
    }
    const onAbort = () => {
      this.#line.splice(this.#line.indexOf(waiting), 1);
      fail(asShoalError(signal.reason, 'aborted'));
    };
    const waiting: Waiting<T> = { job, fail, leave: () => signal.removeEventListener('abort', onAbort) };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#line.push(waiting);
  }

  take(): T | undefined {
    const first = this.#line.shift();
    first?.leave();
    return first?.job;
  }

  /** Everyone who `matches` leaves with `error`. */
  failAll(error: ShoalError, matches: (job: T) => boolean = () => true): void {
    for (const waiting of this.#line.filter(({ job }) => matches(job))) {
      this.#line.splice(this.#line.indexOf(waiting), 1);
      waiting.leave();
      waiting.fail(error);
    }
  }
}
