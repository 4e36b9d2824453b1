import { ShoalError } from '@shoal/protocol';
import type { FetchOptions, FetchProgress } from './progress.ts';

interface Running<T> {
  readonly outcome: Promise<T>;
  readonly callers: Set<FetchOptions>;
  readonly abort: AbortController;
}

/**
 * Callers who want the same thing at the same time share one effort: all see its progress, each may leave by its own signal,
 * and the work is stopped when the last one has left.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  run(key: string, caller: FetchOptions, work: (options: FetchOptions) => Promise<T>): Promise<T> {
    if (caller.signal.aborted) return Promise.reject(stopped(caller.signal));
    const running = this.#running.get(key) ?? this.#begin(key, work);
    running.callers.add(caller);
    return this.#wait(running, caller);
  }

  #begin(key: string, work: (options: FetchOptions) => Promise<T>): Running<T> {
    const callers = new Set<FetchOptions>();
    const abort = new AbortController();
    const onProgress = (progress: FetchProgress) => {
      for (const caller of callers) caller.onProgress?.(progress);
    };
    // Begun in a later turn, so that the first caller is registered before the first progress.
    const outcome = Promise.resolve()
      .then(() => work({ signal: abort.signal, onProgress }))
      .finally(() => this.#forget(key, running));
    const running: Running<T> = { outcome, callers, abort };
    outcome.catch(() => {});
    this.#running.set(key, running);
    return running;
  }

  #wait(running: Running<T>, caller: FetchOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        running.callers.delete(caller);
        reject(stopped(caller.signal));
        if (running.callers.size > 0) return;
        running.abort.abort(caller.signal.reason);
        for (const [key, other] of this.#running) if (other === running) this.#running.delete(key);
      };
      caller.signal.addEventListener('abort', leave, { once: true });
      running.outcome.then(resolve, reject).finally(() => {
        caller.signal.removeEventListener('abort', leave);
        running.callers.delete(caller);
      });
    });
  }

  #forget(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}

export function stopped(signal: AbortSignal): ShoalError {
  return new ShoalError(
    'aborted',
    'the download was stopped; what has arrived is kept and continued the next time',
    {},
    { cause: signal.reason },
  );
}
