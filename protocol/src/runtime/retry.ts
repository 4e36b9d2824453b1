import { asShoalError } from '../errors/index.ts';
import { type Clock, delay } from './clock.ts';
import type { Random } from './random.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

export const defaultBackoff: BackoffOptions = { firstMs: 200, maxMs: 30_000, factor: 2 };

/** Full jitter: uniform in (0, min(max, first x factor^attempt)], so that a fleet does not come back in step. */
export function backoffMs(attempt: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.maxMs, options.firstMs * options.factor ** attempt);
  return Math.max(1, ceiling * random.next());
}

export interface RetryOptions {
  /** Names the wait in logs and traces. */
  readonly name: string;
  readonly backoff?: BackoffOptions;
  /** Attempts in all; `Infinity` for ever. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  readonly onFailure?: (error: unknown, attempt: number, nextDelayMs: number) => void;
}

/** Runs `action` until it succeeds, meets an error that is not retryable, or runs out of attempts. */
export async function retry<T>(
  deps: { readonly clock: Clock; readonly random: Random },
  options: RetryOptions,
  action: (attempt: number) => Promise<T>,
): Promise<T> {
  const attempts = options.attempts ?? Number.POSITIVE_INFINITY;
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await action(attempt);
    } catch (error) {
      if (attempt + 1 >= attempts || options.signal?.aborted || !asShoalError(error).retryable) throw error;
      const waitMs = backoffMs(attempt, options.backoff ?? defaultBackoff, deps.random);
      options.onFailure?.(error, attempt, waitMs);
      await delay(deps.clock, options.name, waitMs, options.signal);
    }
  }
}
