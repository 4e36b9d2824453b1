import { isShoalError, ShoalError } from '../errors/index.ts';
import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { OnTaken } from './outgoing-queues.ts';
import type { Reply, RequestOptions } from './request.ts';

interface Pending {
  readonly peer: PeerId;
  /** When it was asked first, monotonic ms. */
  readonly startedMs: number;
  resend(): void;
  settle(outcome: Reply | ShoalError): void;
}

export interface PendingLimits {
  readonly resendFirstMs: number;
  readonly resendMaxMs: number;
  /** Requests that wait for an answer before a new one is refused. */
  readonly pendingLimit: number;
}

/** Sends a copy of a request, which is good for what is left of its time, ms. */
export type SendRequest = (onTaken: OnTaken, leftMs: number) => void;

/** Requests that were not answered yet: each is sent again, less and less often, until there is an answer or its time is up. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #limits: PendingLimits;
  readonly #pending = new Map<number, Pending>();

  constructor(clock: Clock, limits: PendingLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  add(peer: PeerId, id: number, options: RequestOptions, send: SendRequest): Promise<Reply> {
    const { pendingLimit } = this.#limits;
    if (this.#pending.size >= pendingLimit) {
      const error = new ShoalError('queue.full', `${pendingLimit} requests wait for an answer`, {
        limit: pendingLimit,
      });
      return Promise.reject(error);
    }
    const { signal, resendMaxMs = this.#limits.resendMaxMs } = options;
    if (signal?.aborted) return Promise.reject(abortReason(signal));
    return new Promise((resolve, reject) => {
      const startedMs = this.#clock.monotonicMs();
      const deadlineMs = startedMs + options.timeoutMs;
      const firstMs = Math.min(this.#limits.resendFirstMs, resendMaxMs);
      let waitMs = firstMs;
      let waitsForLink = false;
      let cancelTimer = () => {};
      const settle = (outcome: Reply | ShoalError) => {
        if (!this.#pending.delete(id)) return;
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
        if (outcome instanceof ShoalError) reject(outcome);
        else resolve(outcome);
      };
      const onAbort = () => settle(abortReason(signal));
      const onTaken: OnTaken = (error) => {
        waitsForLink = false;
        // What the link cannot take now it may take later; what is too large stays so.
        if (isShoalError(error, 'message.too-large')) settle(error);
      };
      const attempt = () => {
        cancelTimer();
        const leftMs = deadlineMs - this.#clock.monotonicMs();
        if (leftMs <= 0) {
          const { timeoutMs } = options;
          settle(new ShoalError('timeout', `no answer from ${peer} within ${timeoutMs} ms`, { peer, timeoutMs }));
          return;
        }
        cancelTimer = this.#clock.after(`messenger: answer from ${peer}`, Math.min(waitMs, leftMs), attempt);
        waitMs = Math.min(resendMaxMs, waitMs * 2);
        // While the last copy still waits for a slow link, another would only make it slower.
        if (waitsForLink) return;
        waitsForLink = true;
        send(onTaken, leftMs);
      };
      const resend = () => {
        waitMs = firstMs;
        attempt();
      };
      this.#pending.set(id, { peer, startedMs, resend, settle });
      signal?.addEventListener('abort', onAbort, { once: true });
      attempt();
    });
  }

  /** Since when the request waits that this would answer, monotonic ms; `undefined` when nobody waits for it. */
  startedMs(from: PeerId, id: number): number | undefined {
    const pending = this.#pending.get(id);
    return pending?.peer === from ? pending.startedMs : undefined;
  }

  /** An answer came. One that nobody waits for, or from another peer than was asked, is dropped. */
  settle(from: PeerId, id: number, outcome: Reply | ShoalError): void {
    const pending = this.#pending.get(id);
    if (pending?.peer === from) pending.settle(outcome);
  }

  /** The peer can be reached again: no need to wait. */
  resendNow(peer: PeerId): void {
    for (const pending of [...this.#pending.values()]) if (pending.peer === peer) pending.resend();
  }

  fail(error: ShoalError): void {
    for (const pending of [...this.#pending.values()]) pending.settle(error);
  }
}

function abortReason(signal: AbortSignal | undefined): ShoalError {
  const reason: unknown = signal?.reason;
  return reason instanceof ShoalError
    ? reason
    : new ShoalError('aborted', 'the request was given up', {}, { cause: reason });
}
