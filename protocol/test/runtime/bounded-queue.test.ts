import { BoundedQueue, type OverflowPolicy } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const aQueue = (limit: number, overflow: OverflowPolicy = 'refuse') =>
  new BoundedQueue<number>({ name: 'frames', limit, overflow });

/** The queue, or what it threw: so that it can be compared with the model. */
function outcome<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a bounded queue', () => {
  test.each(['refuse', 'drop-oldest'] as const)('behaves as a plain list with a limit (%s)', (overflow) => {
    const step = fc.oneof(fc.constant('shift' as const), fc.nat(), fc.nat());
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 200 }), (limit, steps) => {
        const queue = aQueue(limit, overflow);
        const model: number[] = [];
        let dropped = 0;
        for (const value of steps) {
          if (value === 'shift') {
            expect(queue.shift()).toBe(model.shift());
          } else if (model.length < limit) {
            expect(queue.push(value)).toBeUndefined();
            model.push(value);
          } else if (overflow === 'refuse') {
            expect(outcome(() => queue.push(value))).toBe('queue.full');
          } else {
            expect(queue.push(value)).toBe(model.shift());
            model.push(value);
            dropped += 1;
          }
          expect([queue.size, queue.dropped]).toEqual([model.length, dropped]);
          expect(queue.size).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  test('says which queue is full, and how much it holds', () => {
    const queue = aQueue(2);
    queue.push(1);
    queue.push(2);
    expect(() => queue.push(3)).toThrow('queue frames holds its limit of 2');
    expect(queue.size).toBe(2);
  });

  test('refuses a limit that is none', () => {
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => aQueue(limit)).toThrow('limit');
  });

  test('gives a waiting taker the next item', async () => {
    const queue = aQueue(2);
    const taken = queue.take();
    queue.push(7);
    queue.push(8);
    expect([await taken, await queue.take()]).toEqual([7, 8]);
  });

  test('a taker whose signal is aborted while it waits gets the reason, and no item is lost', async () => {
    const queue = aQueue(2);
    const abort = new AbortController();
    const taken = queue.take(abort.signal);
    abort.abort(new Error('enough'));
    await expect(taken).rejects.toThrow('enough');
    await expect(queue.take(abort.signal)).rejects.toThrow('enough');
    queue.push(7);
    expect(await queue.take()).toBe(7);
  });

  test('an abort that comes after the item changes nothing', async () => {
    const queue = aQueue(2);
    const abort = new AbortController();
    const taken = queue.take(abort.signal);
    queue.push(7);
    abort.abort();
    expect(await taken).toBe(7);
  });

  test('refuses a second taker instead of forgetting the first', async () => {
    const queue = aQueue(2);
    const first = queue.take();
    await expect(queue.take()).rejects.toMatchObject({ code: 'defect' });
    queue.push(7);
    expect(await first).toBe(7);
  });

  test('closed: takes nothing in, gives out what it holds, then ends', async () => {
    const queue = aQueue(2);
    queue.push(7);
    queue.close();
    expect(() => queue.push(8)).toThrow('queue frames is closed');
    expect([await queue.take(), await queue.take()]).toEqual([7, undefined]);
  });

  test('closed while somebody waits: the wait ends', async () => {
    const queue = aQueue(2);
    const taken = queue.take();
    queue.close();
    expect(await taken).toBeUndefined();
  });

  test('does not grow while items pass through it', () => {
    const queue = aQueue(4);
    queue.push(0);
    const beforeBytes = process.memoryUsage().heapUsed;
    for (let i = 1; i <= 10_000_000; i++) {
      queue.push(i);
      queue.shift();
    }
    // Kept for ever, the ten million places would be 80 MB.
    expect((process.memoryUsage().heapUsed - beforeBytes) / 2 ** 20).toBeLessThan(50);
    expect(queue.shift()).toBe(10_000_000);
  });

  test('takes the same time for an item however long it is', () => {
    const queue = aQueue(200_000);
    for (let i = 0; i < 200_000; i++) queue.push(i);
    for (let i = 0; i < 200_000; i++) if (queue.shift() !== i) expect.fail(`item ${i} is out of order`);
    expect(queue.size).toBe(0);
  });
});
