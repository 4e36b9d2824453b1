import type { StoredFile } from '@shoal/protocol/blocks';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/blocks/block-file.ts';
import { RecentPieces } from '../../src/blocks/recent-pieces.ts';
import { someFile } from './swarm.ts';

const file = someFile(24 * 65_536);
const layout = layoutOf(file.length);

/** A disk that says what is read of it, and answers when it is told to. */
function aDisk() {
  const reads: { readonly index: number; answer(): void }[] = [];
  const source: StoredFile = {
    read: (offset, length) =>
      new Promise((resolve) => {
        const answer = () => resolve(file.slice(offset, offset + length));
        reads.push({ index: offset / layout.pieceBytes, answer });
      }),
    close: async () => {},
  };
  return { reads, pieces: new RecentPieces(source, layout) };
}

describe('the pieces of a file that were last here', () => {
  it('are read once for all that ask for one at the same time, with those behind it', async () => {
    const { reads, pieces } = aDisk();
    const asked = [pieces.read(0, true), pieces.read(0, true)];
    expect(reads.map(({ index }) => index)).toEqual([0]);
    reads[0]?.answer();
    for (const piece of await Promise.all(asked)) {
      expect(Buffer.compare(Buffer.concat(piece), file.subarray(0, 65_536))).toBe(0);
    }
    await pieces.read(5, true);
    expect(reads).toHaveLength(1);
  });

  it('are read on while the last of them is sent, of a file that is whole', async () => {
    const { reads, pieces } = aDisk();
    const first = pieces.read(0, true);
    reads[0]?.answer();
    await first;
    await pieces.read(7, true);
    expect(reads.map(({ index }) => index)).toEqual([0, 8]);
    const next = pieces.read(8, true);
    reads[1]?.answer();
    expect((await next)[0]?.[0]).toBe(file[8 * 65_536]);
    expect(reads).toHaveLength(2);
  });

  it('are read one by one, and nothing ahead, of a file that is still coming', async () => {
    const { reads, pieces } = aDisk();
    const piece = pieces.read(3, false);
    reads[0]?.answer();
    expect((await piece)[0]).toHaveLength(65_536);
    expect(reads.map(({ index }) => index)).toEqual([3]);
  });
});
