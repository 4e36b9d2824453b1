import { VirtualClock } from '@shoal/protocol/testing';
import { expect, it } from 'vitest';
import { HalfDoneBodies } from '../../../src/link/coap/half-done-bodies.ts';
import { bytesInUse } from '../../support/memory.ts';

const limits = { maxHalfDone: 10, maxHalfDoneBytes: 8 << 20, halfDoneMs: 60_000 };
const sizeBytes = 16;
const count = 50_000;
const mostBytes = sizeBytes * count + 1;

it('a body in the smallest blocks takes the room of its bytes, not that of an object and a datagram for each', () => {
  const bodies = new HalfDoneBodies(new VirtualClock(), limits);
  const before = bytesInUse();
  for (let number = 0; number < count; number++) {
    // A datagram with a block at its end.
    const block = Buffer.alloc(100)
      .fill(number & 0xff)
      .subarray(-sizeBytes);
    expect(bodies.add('a client', { number, more: true, sizeBytes }, block, mostBytes).kind).toBe('more');
  }
  expect(bodies.sizeBytes).toBe(sizeBytes * count);
  // Apart they would be 15 MB.
  expect(bytesInUse() - before).toBeLessThan(4_000_000);
  const end = bodies.add('a client', { number: count, more: false, sizeBytes }, Buffer.from('!'), mostBytes);
  expect(end.kind).toBe('whole');
  if (end.kind !== 'whole') return;
  expect(end.body.length).toBe(mostBytes);
  expect([0, 1, 300].map((number) => end.body[number * sizeBytes])).toEqual([0, 1, 300 & 0xff]);
  expect(bodies.sizeBytes).toBe(0);
});
