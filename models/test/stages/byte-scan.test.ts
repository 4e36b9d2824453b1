import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionsAtLeast, strongestPositions } from '../../src/stages/byte-scan.ts';

const naive = (bytes: Uint8Array, least: number) => [...bytes.keys()].filter((at) => (bytes[at] ?? 0) >= least);

describe('a scan for large bytes', () => {
  it('finds what a plain loop finds, at every threshold and alignment', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 0, max: 7 }),
        (bytes, least, skipped) => {
          const part = bytes.subarray(Math.min(skipped, bytes.length));
          const into = new Int32Array(300);
          const count = positionsAtLeast(part, least, into);
          expect([...into.subarray(0, count)]).toEqual(naive(part, least));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([1, 127, 128, 129, 191, 192, 193, 255])('tells %i from the byte below it', (least) => {
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? least : least - 1));
    const into = new Int32Array(64);
    expect([...into.subarray(0, positionsAtLeast(bytes, least, into))]).toEqual(naive(bytes, least));
  });

  it('counts one past what fits, and writes nothing there', () => {
    const into = new Int32Array(4);
    expect(positionsAtLeast(new Uint8Array(100).fill(9), 5, into)).toBe(5);
    expect([...into]).toEqual([0, 1, 2, 3]);
  });
});

describe('the strongest bytes', () => {
  it('are the top of a sorted list when there are too many, the first of equals first', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 256 }),
        fc.integer({ min: 1, max: 40 }),
        (bytes, least, room) => {
          const into = new Int32Array(room);
          const found = [...into.subarray(0, strongestPositions(bytes, least, into))];
          const expected = naive(bytes, least)
            .sort((a, b) => (bytes[b] ?? 0) - (bytes[a] ?? 0) || a - b)
            .slice(0, room);
          expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('are found among bytes that are all the same', () => {
    const into = new Int32Array(10);
    expect(strongestPositions(new Uint8Array(1000).fill(255), 1, into)).toBe(10);
    expect([...into]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
