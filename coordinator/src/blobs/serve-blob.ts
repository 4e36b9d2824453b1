import { type BlobRequest, type Outgoing, type PeerId, ShoalError, toHex } from '@shoal/protocol';
import type { Blobs } from '../domain/index.ts';

/** Largest piece under one message, bytes. */
const largestPieceBytes = 512 << 10;

/** Pieces that are read for one device at the same time: 16 MiB of memory. An agent asks for four of each input that it fetches. */
const mostAtOnce = 32;

/** Answers a device that asks for a piece of an input. @throws `not-found`, `input.invalid`, `queue.full`. */
export type ServeBlob = (device: PeerId, request: BlobRequest) => Promise<Outgoing>;

/** `mostBytes`: what one frame of the link can carry of a piece. */
export function blobServer(blobs: Pick<Blobs, 'stat' | 'read'>, mostBytes: number): ServeBlob {
  const underWay = new Map<PeerId, number>();
  return async (device, request) => {
    const before = underWay.get(device) ?? 0;
    if (before >= mostAtOnce) {
      throw new ShoalError('queue.full', `${before} pieces are being read for this device: ask again for this one`, {
        limit: mostAtOnce,
      });
    }
    underWay.set(device, before + 1);
    try {
      return await pieceOf(blobs, request, Math.min(largestPieceBytes, mostBytes));
    } finally {
      const left = (underWay.get(device) ?? 1) - 1;
      if (left > 0) underWay.set(device, left);
      else underWay.delete(device);
    }
  };
}

async function pieceOf(
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
  const piece = await blobs.read(digest, { offset, length: Math.min(request.length || mostBytes, mostBytes) });
  return {
    payload: { blobChunk: { digest: request.digest, offset, totalBytes: blob.sizeBytes } },
    attachments: [piece],
  };
}
