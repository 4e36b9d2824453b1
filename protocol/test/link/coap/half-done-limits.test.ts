import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { HalfDoneBodies } from '../../../src/link/coap/half-done-bodies.ts';

const sizeBytes = 16;
const full = Buffer.alloc(sizeBytes, 7);
const limits = { maxHalfDone: 3, maxHalfDoneBytes: 4 * sizeBytes, halfDoneMs: 1_000 };
const block = (number: number, more = true) => ({ number, more, sizeBytes });

function some(change: Partial<typeof limits> = {}) {
  const clock = new VirtualClock();
  return { clock, bodies: new HalfDoneBodies(clock, { ...limits, ...change }) };
}

describe('bodies that come block-wise', () => {
  it('are whole when their last block has come, also when blocks come twice', () => {
    const { bodies } = some();
    expect(bodies.add('a', block(0), full, 100)).toEqual({ kind: 'more' });
    expect(bodies.add('a', block(1), full, 100)).toEqual({ kind: 'more' });
    expect(bodies.add('a', block(1), full, 100)).toEqual({ kind: 'more' });
    const body = Buffer.concat([full, full, Buffer.of(1)]);
    expect(bodies.add('a', block(2, false), Buffer.of(1), 100)).toEqual({ kind: 'whole', body });
    expect([bodies.count, bodies.sizeBytes]).toEqual([0, 0]);
  });

  it('are not put together from blocks of two, nor with one missing, nor with a short one within', () => {
    const { bodies } = some();
    bodies.add('a', block(0), full, 100);
    expect(bodies.add('b', block(1), full, 100)).toEqual({ kind: 'gap' });
    expect(bodies.add('a', block(2), full, 100)).toEqual({ kind: 'gap' });
    expect(bodies.add('a', block(1), full.subarray(1), 100)).toEqual({ kind: 'malformed' });
  });

  it('that grow above their limit are dropped', () => {
    const { bodies } = some();
    bodies.add('a', block(0), full, 20);
    expect(bodies.add('a', block(1, false), full, 20)).toEqual({ kind: 'too-large' });
    expect(bodies.sizeBytes).toBe(0);
  });

  it('are held up to a number and up to a size: those that were not touched for longest go', () => {
    const { bodies } = some();
    for (const key of ['a', 'b', 'c', 'd']) bodies.add(key, block(0), full, 100);
    expect(bodies.count).toBe(3);
    expect(bodies.add('a', block(1), full, 100)).toEqual({ kind: 'gap' });
    bodies.add('b', block(1), full, 100);
    bodies.add('b', block(2), full, 100);
    expect([bodies.count, bodies.sizeBytes]).toEqual([2, 4 * sizeBytes]);
    expect(bodies.add('c', block(1), full, 100)).toEqual({ kind: 'gap' });
  });

  it('are given up when no block comes for a while, and leave no timer', async () => {
    const { clock, bodies } = some();
    bodies.add('a', block(0), full, 100);
    await clock.advance(900);
    bodies.add('b', block(0), full, 100);
    await clock.advance(200);
    expect(bodies.count).toBe(1);
    await clock.advance(2_000);
    expect([bodies.count, bodies.sizeBytes]).toEqual([0, 0]);
  });
});
