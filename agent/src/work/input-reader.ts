import { equalBytes, ShoalError, sha256, toHex } from '@shoal/protocol';

/** Largest piece of a blob that is asked for at once, bytes: with its envelope it fits into a frame of every link. */
const pieceBytes = 512 * 1024;
/** Pieces that are asked for at the same time. */
const window = 4;

/** Asks the coordinator for a piece of a blob. */
export type AskForBlob = (
  piece: { readonly digest: Uint8Array; readonly offset: number; readonly length: number },
  signal: AbortSignal,
) => Promise<Uint8Array>;

/**
 * Brings a blob here piece by piece and checks it.
 * @throws `input.corrupt` when what comes is not what the digest names; what `ask` throws; the signal's reason
 */
export async function readInput(
  ask: AskForBlob,
  { digest, sizeBytes }: { readonly digest: Uint8Array; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let next = 0;
  // One piece that fails ends the others.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const fetcher = async () => {
    while (next < sizeBytes) {
      const offset = next;
      const length = Math.min(pieceBytes, sizeBytes - offset);
      next += length;
      either.throwIfAborted();
      const piece = await ask({ digest, offset, length }, either);
      if (piece.length !== length) {
        throw new ShoalError('input.corrupt', `a piece of the input has ${piece.length} bytes instead of ${length}`, {
          offset,
        });
      }
      bytes.set(piece, offset);
    }
  };
  const fetchers = Array.from({ length: Math.min(window, Math.ceil(sizeBytes / pieceBytes)) }, fetcher);
  try {
    await Promise.all(fetchers);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(fetchers);
    throw error;
  }
  return checked(bytes, digest);
}

/** @throws `input.corrupt` */
export function checked(bytes: Uint8Array, digest: Uint8Array): Uint8Array {
  const actual = sha256(bytes);
  if (equalBytes(actual, digest)) return bytes;
  throw new ShoalError('input.corrupt', 'the input is not the one that its digest names', {
    expected: toHex(digest),
    actual: toHex(actual),
  });
}
