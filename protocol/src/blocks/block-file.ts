import { ShoalError } from '../errors/index.ts';

/** A file by its content. */
export interface BlockFile {
  /** Lower-case hex, 64 digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

const smallestPieceBytes = 64 * 1024;
/** A piece goes in one frame of at most 1 MiB. */
const largestPieceBytes = 512 * 1024;
const fewPieces = 64;
const mostPieces = 8_192;

/** Largest file that is exchanged, bytes. */
export const largestFileBytes = largestPieceBytes * mostPieces;

/** How a file is cut. Follows from its size alone, so that nobody has to agree on it. */
export interface PieceLayout {
  /** Length of all pieces but the last, which may be shorter. */
  readonly pieceBytes: number;
  readonly count: number;
  offsetOf(index: number): number;
  lengthOf(index: number): number;
}

/** @throws `input.invalid` for an empty file and for one above {@link largestFileBytes} */
export function layoutOf(sizeBytes: number): PieceLayout {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1 || sizeBytes > largestFileBytes) {
    const message = `files of 1 to ${largestFileBytes} bytes are exchanged, not of ${sizeBytes}`;
    throw new ShoalError('input.invalid', message, { field: 'sizeBytes' });
  }
  let pieceBytes = smallestPieceBytes;
  while (pieceBytes < largestPieceBytes && sizeBytes / pieceBytes > fewPieces) pieceBytes *= 2;
  const count = Math.ceil(sizeBytes / pieceBytes);
  return {
    pieceBytes,
    count,
    offsetOf: (index) => index * pieceBytes,
    lengthOf: (index) => (index === count - 1 ? sizeBytes - index * pieceBytes : pieceBytes),
  };
}
