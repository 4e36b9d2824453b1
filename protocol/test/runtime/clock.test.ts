import { delay, every } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';

describe('delay', () => {
  test('resolves when its time has come, and not before', async () => {
    const clock = new VirtualClock();
    let over = false;
    const waited = delay(clock, 'nap', 100).then(() => {
      over = true;
    });
    await clock.advance(99.9);
    expect(over).toBe(false);
    await clock.advance(0.1);
    expect(over).toBe(true);
    await waited;
  });

  test('rejects with the reason as soon as it is aborted, and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const waited = delay(clock, 'nap', 100, abort.signal);
    abort.abort(new Error('stop'));
    await expect(waited).rejects.toThrow('stop');
    expect(clock.pending()).toEqual([]);
  });

  test('does not begin to wait when it is aborted already', async () => {
    const clock = new VirtualClock();
    await expect(delay(clock, 'nap', 100, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(clock.pending()).toEqual([]);
  });

  test('leaves no listener on a signal that outlives it', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    await clock.until(delay(clock, 'nap', 1, signal));
    expect(remove).toHaveBeenCalledTimes(1);
  });
});

describe('every', () => {
  test('calls once a period until it is stopped', async () => {
    const clock = new VirtualClock();
    const calls: number[] = [];
    const stop = every(clock, 'beat', 100, () => calls.push(clock.monotonicMs()));
    await clock.advance(350);
    stop();
    await clock.advance(1_000);
    expect(calls).toEqual([100, 200, 300]);
    expect(clock.pending()).toEqual([]);
  });

  test('can be stopped by its own callback', async () => {
    const clock = new VirtualClock();
    let calls = 0;
    const stop = every(clock, 'beat', 100, () => {
      calls += 1;
      stop();
    });
    await clock.advance(1_000);
    expect([calls, clock.pending()]).toEqual([1, []]);
  });
});

describe('the system clock', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('tells wall time and monotonic time', () => {
    const before = Date.now();
    const now = systemClock.nowMs();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
    expect(systemClock.monotonicMs()).toBeLessThanOrEqual(systemClock.monotonicMs());
  });

  test('calls back, and not when cancelled', async () => {
    const seen: string[] = [];
    systemClock.after('cancelled', 0, () => seen.push('cancelled'))();
    await new Promise<void>((resolve) => systemClock.after('b', 1, resolve));
    await new Promise<void>((resolve) => systemClock.soon('c', resolve));
    expect(seen).toEqual([]);
  });

  test('waits the whole of a delay that is longer than a timer of the platform can be', () => {
    vi.useFakeTimers();
    const seen: string[] = [];
    const day = 86_400_000;
    systemClock.after('month', 30 * day, () => seen.push('month'));
    const cancel = systemClock.after('cancelled on the second leg', 30 * day, () => seen.push('cancelled'));
    vi.advanceTimersByTime(30 * day - 1);
    expect(seen).toEqual([]);
    cancel();
    vi.advanceTimersByTime(1);
    expect(seen).toEqual(['month']);
  });
});
