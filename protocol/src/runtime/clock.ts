/**
 * Time, as a port. Production hands in the system clock (`@shoal/protocol/real`), the simulator and the tests a virtual one.
 * Timers carry names, so that a log, a trace or a stuck test says *what* is waited for.
 */
export interface Clock {
  /** Wall time, ms since the Unix epoch. May jump. For time stamps and deadlines that leave the process. */
  nowMs(): number;
  /** Monotonic time, ms since an arbitrary start, with a fraction. For durations. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`. Returns a function that cancels it (idempotent). */
  after(name: string, delayMs: number, callback: () => void): () => void;
  /** Calls back once everything that is ready now has run: where what one turn brought together is sent or committed as one. */
  soon(name: string, callback: () => void): void;
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
export function delay(clock: Clock, name: string, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(name, delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `callback` every `periodMs` until the returned function is called; a period starts when the last call returned. */
export function every(clock: Clock, name: string, periodMs: number, callback: () => void): () => void {
  let cancel = () => {};
  let stopped = false;
  const next = () => {
    cancel = clock.after(name, periodMs, () => {
      callback();
      if (!stopped) next();
    });
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}
