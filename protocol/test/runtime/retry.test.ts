import {
  type BackoffOptions,
  backoffMs,
  defaultBackoff,
  type RetryOptions,
  retry,
  ShoalError,
  seededRandom,
} from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const highest = { next: () => 1 - Number.EPSILON, bytes: () => new Uint8Array() };
const lowest = { next: () => 0, bytes: () => new Uint8Array() };
const unreachable = () => Promise.reject(new ShoalError('net.unreachable', 'no broker'));

describe('backoff', () => {
  test('doubles its ceiling up to the limit', () => {
    const options: BackoffOptions = { firstMs: 200, maxMs: 1_000, factor: 2 };
    const ceilings = [0, 1, 2, 3, 4].map((attempt) => Math.round(backoffMs(attempt, options, highest)));
    expect(ceilings).toEqual([200, 400, 800, 1_000, 1_000]);
  });

  test('is never zero and never over its limit, after any number of attempts', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer(), (attempt, seed) => {
        const waitMs = backoffMs(attempt, defaultBackoff, seededRandom(seed));
        expect(waitMs).toBeGreaterThanOrEqual(1);
        expect(waitMs).toBeLessThanOrEqual(defaultBackoff.maxMs);
      }),
    );
    expect(backoffMs(0, defaultBackoff, lowest)).toBe(1);
  });

  test('spreads a fleet over the whole range, so that it does not come back in step', () => {
    const random = seededRandom(1);
    const waits = Array.from({ length: 1_000 }, () => backoffMs(20, defaultBackoff, random));
    for (const quarter of [0, 1, 2, 3]) {
      const inside = waits.filter((ms) => Math.floor(ms / (defaultBackoff.maxMs / 4)) === quarter);
      expect(inside.length).toBeGreaterThan(200);
    }
  });
});

describe('retry', () => {
  const run = <T>(action: (attempt: number) => Promise<T>, options: Partial<RetryOptions> = {}) => {
    const clock = new VirtualClock();
    const promise = retry({ clock, random: highest }, { name: 'reconnect', ...options }, action);
    return { clock, promise };
  };

  test('goes on until it succeeds, waiting longer each time', async () => {
    const failures: [number, number][] = [];
    const { clock, promise } = run((attempt) => (attempt < 3 ? unreachable() : Promise.resolve(attempt)), {
      onFailure: (_error, attempt, nextDelayMs) => failures.push([attempt, Math.round(nextDelayMs)]),
    });
    await clock.advance(0);
    expect(clock.pending()).toEqual(['reconnect']);
    expect(await clock.until(promise)).toBe(3);
    expect(failures).toEqual([
      [0, 200],
      [1, 400],
      [2, 800],
    ]);
    expect(Math.round(clock.monotonicMs())).toBe(1_400);
  });

  test('gives up at once on an error that is not retryable', async () => {
    let tries = 0;
    const { promise } = run(() => {
      tries += 1;
      return Promise.reject(new ShoalError('token.refused', 'used up'));
    });
    await expect(promise).rejects.toMatchObject({ code: 'token.refused' });
    const defect = run(() => Promise.reject(new TypeError('x is not a function')));
    await expect(defect.promise).rejects.toThrow(TypeError);
    expect(tries).toBe(1);
  });

  test('gives up after its last attempt, with the last error', async () => {
    let tries = 0;
    const { clock, promise } = run(
      () => {
        tries += 1;
        return Promise.reject(new ShoalError('timeout', `try ${tries}`));
      },
      { attempts: 4 },
    );
    await expect(clock.until(promise)).rejects.toThrow('try 4');
    expect(tries).toBe(4);
  });

  test('ends at once, with the reason, when it is aborted while it waits', async () => {
    const abort = new AbortController();
    const { clock, promise } = run(unreachable, { signal: abort.signal });
    await clock.advance(10);
    const ended = expect(promise).rejects.toThrow('agent stops');
    abort.abort(new Error('agent stops'));
    await ended;
    expect(clock.pending()).toEqual([]);
  });

  test('tries nothing when it was aborted before', async () => {
    let tries = 0;
    const { promise } = run(async () => tries++, { signal: AbortSignal.abort(new Error('too late')) });
    await expect(promise).rejects.toThrow('too late');
    expect(tries).toBe(0);
  });
});
