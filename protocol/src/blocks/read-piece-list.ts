import { createHash } from 'node:crypto';
import { ShoalError } from '../errors/index.ts';
import { leafHash } from '../merkle/index.ts';
import { type BlockFile, layoutOf } from './block-file.ts';
import type { StoredFile } from './block-store.ts';
import { PieceList } from './piece-list.ts';

/** The pieces of a held file. @throws `not-found` when the file is not what it is called; `io.failed`; the signal's reason */
export async function readPieceList(source: StoredFile, file: BlockFile, signal: AbortSignal): Promise<PieceList> {
  const layout = layoutOf(file.sizeBytes);
  const whole = createHash('sha256');
  const hashes: Uint8Array[] = [];
  for (let index = 0; index < layout.count; index++) {
    signal.throwIfAborted();
    const bytes = await source.read(layout.offsetOf(index), layout.lengthOf(index));
    whole.update(bytes);
    hashes.push(leafHash(bytes));
  }
  if (whole.digest('hex') !== file.sha256) {
    throw new ShoalError('not-found', `the file that is held as ${file.sha256} is another one`, {
      sha256: file.sha256,
    });
  }
  return new PieceList(hashes);
}
