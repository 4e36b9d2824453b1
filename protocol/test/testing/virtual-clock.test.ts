import { delay, every, seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, test } from 'vitest';

describe('a virtual clock', () => {
  test('stands still until it is advanced', async () => {
    const clock = new VirtualClock({ startMs: 1_000 });
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
    await clock.advance(250.5);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250.5]);
  });

  test('runs timers in the order they fall due, and those of one moment in the order they were set', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['now', -5],
    ] as const) {
      clock.after(name, ms, () => seen.push(`${name}@${clock.monotonicMs()}`));
    }
    expect(clock.pending()).toEqual(['now', 'a', 'b1', 'b2', 'c']);
    await clock.advance(29);
    expect(seen).toEqual(['now@0', 'a@10', 'b1@20', 'b2@20']);
    expect(clock.pending()).toEqual(['c']);
    expect(clock.monotonicMs()).toBe(29);
  });

  test.for([1, 16])(
    'lets promises run between two timers, and runs timers that were set on the way (%i per poll)',
    async (timersPerPoll) => {
      const clock = new VirtualClock({ timersPerPoll });
      const seen: string[] = [];
      const walk = async () => {
        for (const step of [1, 2, 3]) {
          await delay(clock, `step ${step}`, 10);
          for (let i = 0; i < 50; i++) await Promise.resolve();
          seen.push(`${step}@${clock.monotonicMs()}`);
        }
      };
      const done = walk();
      clock.after('other', 15, () => seen.push('other@15'));
      await clock.advance(30);
      await done;
      expect(seen).toEqual(['1@10', 'other@15', '2@20', '3@30']);
    },
  );

  test('forgets a cancelled timer, whichever of many it was, and cancelling twice is harmless', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const cancels = [5, 3, 5, 1, 5].map((ms, index) => clock.after(`t${index}`, ms, () => seen.push(index)));
    cancels[2]?.();
    cancels[2]?.();
    await clock.advance(10);
    cancels[0]?.();
    expect(seen).toEqual([3, 1, 0, 4]);
    expect(clock.pending()).toEqual([]);
  });

  test('keeps thousands of timers in order while others are cancelled', async () => {
    const clock = new VirtualClock();
    const random = seededRandom(1);
    const ran: number[] = [];
    const timers = Array.from({ length: 5_000 }, (_, number) => {
      const dueMs = Math.floor(random.next() * 500);
      return { number, dueMs, cancel: clock.after(`t${number}`, dueMs, () => ran.push(number)), cancelled: false };
    });
    for (const timer of timers) {
      if (random.next() < 0.5) continue;
      timer.cancelled = true;
      timer.cancel();
    }
    const left = timers.filter(({ cancelled }) => !cancelled).sort((a, b) => a.dueMs - b.dueMs || a.number - b.number);
    expect(clock.pending()).toEqual(left.map(({ number }) => `t${number}`));
    await clock.advance(500);
    expect(ran).toEqual(left.map(({ number }) => number));
  });

  test('lets what is real come in between two timers', async () => {
    const clock = new VirtualClock();
    let polls = 0;
    let over = false;
    const poll = () => {
      polls += 1;
      if (!over) setImmediate(poll);
    };
    poll();
    every(clock, 'beat', 1, () => {});
    await clock.advance(1_000);
    over = true;
    expect(polls).toBeGreaterThan(1_000);
  });

  test('moves wall time alone when it jumps', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    let ran = false;
    clock.after('t', 10, () => {
      ran = true;
    });
    clock.jump(-3_600_000);
    expect([clock.nowMs(), clock.monotonicMs(), ran]).toEqual([-3_600_000, 0, false]);
    await clock.advance(10);
    expect([clock.nowMs(), ran]).toEqual([-3_599_990, true]);
  });

  test('goes just as far as a promise needs, and gives its value or its error', async () => {
    const clock = new VirtualClock();
    every(clock, 'beat', 7, () => {});
    expect(await clock.until(delay(clock, 'nap', 100).then(() => 'awake'))).toBe('awake');
    expect(clock.monotonicMs()).toBe(100);
    await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('names what is waited for when a promise does not settle', async () => {
    const clock = new VirtualClock();
    await expect(clock.until(new Promise(() => {}))).rejects.toThrow('waiting: nothing');
    clock.after('reconnect to broker', 5_000, () => {});
    await expect(clock.until(new Promise(() => {}), 1_000)).rejects.toThrow('waiting: reconnect to broker');
  });

  test('passes on what a callback throws, and can be moved again after it', async () => {
    const clock = new VirtualClock();
    clock.after('bad', 1, () => {
      throw new Error('from the callback');
    });
    await expect(clock.advance(5)).rejects.toThrow('from the callback');
    await clock.advance(5);
    expect(clock.monotonicMs()).toBe(6);
  });

  test('refuses to be moved backwards, by NaN, or twice at once', async () => {
    const clock = new VirtualClock();
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError);
    expect(() => clock.after('odd', Number.NaN, () => {})).toThrow('timer odd');
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toThrow('being moved already');
    await first;
  });
});
