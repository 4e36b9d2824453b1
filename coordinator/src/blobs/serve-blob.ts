import { type BlobRequest, type Outgoing, ShoalError, toHex } from '@shoal/protocol';
import type { Blobs } from '../domain/index.ts';

/** Largest piece under one message, bytes. */
export const largestPieceBytes = 512 << 10;

/** Answers a device that asks for a piece of an input. @throws `not-found`, `input.invalid`. */
export async function serveBlob(
  blobs: Pick<Blobs, 'stat' | 'read'>,
  request: BlobRequest,
  mostBytes: number,
): Promise<Outgoing> {
  const digest = toHex(request.digest);
  const { offset } = request;
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new ShoalError('input.invalid', 'offset: a whole number', { field: 'offset' });
  const blob = await blobs.stat(digest);
  if (!blob) throw new ShoalError('not-found', 'there is no such blob', { digest });
  const length = Math.min(request.length || largestPieceBytes, largestPieceBytes, mostBytes);
  const piece = await blobs.read(digest, { offset, length });
  return {
    payload: { blobChunk: { digest: request.digest, offset, totalBytes: blob.sizeBytes } },
    attachments: [piece],
  };
}
