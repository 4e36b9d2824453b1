import { performance } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';

/** Longest delay that `setTimeout` keeps (2^31 - 1 ms, 24.8 days); a longer one would fire at once, so it is waited for in steps. */
const longestDelayMs = 0x7fff_ffff;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(_name, delayMs, callback) {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const stepMs = Math.min(Math.max(0, restMs), longestDelayMs);
      timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : callback()), stepMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
  soon(_name, callback) {
    setImmediate(callback);
  },
};
