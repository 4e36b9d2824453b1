import { sha256Hex } from '@shoal/protocol';
import type { StoredFile } from '@shoal/protocol/blocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/blocks/block-file.ts';
import { RecentPieces } from '../../src/blocks/recent-pieces.ts';
import { RunningDigest } from '../../src/blocks/running-digest.ts';
import { someFile } from './swarm.ts';

const { signal } = new AbortController();
const file = someFile(7 * 65_536 + 3);
const layout = layoutOf(file.length);
const pieceOf = (index: number) =>
  file.subarray(layout.offsetOf(index), layout.offsetOf(index) + layout.lengthOf(index));

function digestOf(order: readonly number[]) {
  const reads: number[] = [];
  const source: StoredFile = {
    read: async (offset, length) => {
      reads.push(offset / layout.pieceBytes);
      return file.slice(offset, offset + length);
    },
    close: async () => {},
  };
  const pieces = new RecentPieces(source, layout);
  const digest = new RunningDigest(source, pieces, layout);
  for (const index of order) {
    pieces.add(index, [pieceOf(index).subarray(0, 9), pieceOf(index).subarray(9)]);
    digest.advance();
  }
  return { digest, reads };
}

describe('the digest of a file that comes in pieces', () => {
  it('is that of the whole, in whatever order they come', async () => {
    const orders = fc.shuffledSubarray([...Array(layout.count).keys()]);
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        expect(await digestOf(order).digest.end(signal)).toBe(sha256Hex(file));
      }),
    );
  });

  it('reads again only what did not come behind what was hashed', async () => {
    const all = digestOf([0, 2, 1, 3, 4, 5, 6, 7]);
    await all.digest.end(signal);
    expect(all.reads).toEqual([]);
    const some = digestOf([0, 1, 3, 4]);
    await some.digest.end(signal);
    expect(some.reads).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('ends with the reason of its signal', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(digestOf([]).digest.end(aborted)).rejects.toThrow('enough');
  });
});
