import { VirtualClock } from '@shoal/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueTimes } from '../../src/tasks/due-times.ts';

describe('due times', () => {
  it('call back for each item once it is due, never early and at most a slice late, with one timer for all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -10, max: 5_000 }), { maxLength: 60 }), async (delays) => {
        const clock = new VirtualClock();
        const due: [number, number][] = [];
        const times = new DueTimes<number>(clock, 'test', (index) => due.push([index, clock.monotonicMs()]));
        for (const [index, delayMs] of delays.entries()) times.add(index, delayMs);
        expect(clock.pending().length).toBeLessThanOrEqual(1);
        await clock.advance(6_000);
        expect(due).toHaveLength(delays.length);
        for (const [index, atMs] of due) {
          expect(atMs).toBeGreaterThanOrEqual(Math.max(0, delays[index] ?? 0));
          expect(atMs).toBeLessThanOrEqual(Math.max(0, delays[index] ?? 0) + 50);
        }
        expect(clock.pending()).toEqual([]);
        expect(times.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('do not call back for what was removed, and once for what was moved', async () => {
    const clock = new VirtualClock();
    const due: string[] = [];
    const times = new DueTimes<string>(clock, 'test', (item) => due.push(`${item} at ${clock.monotonicMs()}`));
    times.add('removed', 100);
    times.add('moved', 100);
    times.add('moved', 400);
    times.remove('removed');
    times.remove('never there');
    await clock.advance(1_000);
    expect(due).toEqual(['moved at 400']);
  });

  it('can be filled from within, and are silent once stopped', async () => {
    const clock = new VirtualClock();
    let times = 0;
    const again = new DueTimes<string>(clock, 'test', (item) => {
      times += 1;
      again.add(item, 100);
    });
    again.add('tick', 100);
    await clock.advance(1_000);
    expect(times).toBe(10);
    again.stop();
    await clock.advance(1_000);
    expect(times).toBe(10);
    expect(clock.pending()).toEqual([]);
  });
});
