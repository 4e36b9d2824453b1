import { fromHex, joined, lengthOf, toHex } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { BlocksReply, type BlocksReplyInit, BlocksRequest, type BlocksRequestInit } from '../messages/index.ts';
import { type BlockFile, layoutOf, type PieceLayout } from './block-file.ts';
import { PieceSet } from './piece-set.ts';

export type AskerMessage =
  | { readonly kind: 'list' }
  | { readonly kind: 'order'; readonly pieces: PieceSet; readonly allowed: number };

export interface Holdings {
  /** 32 bytes; `undefined`: fetches it too, and does not know the pieces yet. */
  readonly root: Uint8Array | undefined;
  readonly pieces: PieceSet;
  /** Vouches for it: all pieces are there, and are the file. */
  readonly whole: boolean;
  readonly sparing: boolean;
}

export type HolderMessage =
  | { readonly kind: 'holdings'; readonly holdings: Holdings }
  | { readonly kind: 'list'; readonly hashes: Uint8Array }
  | { readonly kind: 'piece'; readonly index: number; readonly bytes: readonly Uint8Array[] }
  | { readonly kind: 'refusal'; readonly code: string };

export function encodeRequest(request: BlocksRequestInit): Uint8Array {
  return BlocksRequest.encode(request);
}

export function encodeReply(reply: BlocksReplyInit): Uint8Array {
  return BlocksReply.encode(reply);
}

/** Tag and length of the piece, tag and index, tag and length of its bytes. */
const mostHeadBytes = 15;

/** What stands before the bytes of a piece in its reply: so that they need not be copied, once more for each asker. */
export function headOfPiece(index: number, length: number): Uint8Array {
  const piece = [0x08, ...varint(index), 0x12, ...varint(length)];
  return Uint8Array.from([0x1a, ...varint(piece.length + length), ...piece]);
}

/** A piece as {@link headOfPiece} begins it, which all but foreign encoders do: its bytes are not copied. `undefined` for anything else. */
function readPiece(frame: readonly Uint8Array[]): HolderMessage | undefined {
  const start = joined(cutTo(frame, mostHeadBytes));
  const length = lengthOf(frame);
  let at = 0;
  const read = (tag: number): number | undefined => {
    if (start[at] !== tag) return undefined;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      at += 1;
      const byte = start[at] ?? 0x80;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        at += 1;
        return value;
      }
    }
    return undefined;
  };
  const ofPiece = read(0x1a);
  if (ofPiece !== length - at) return undefined;
  const index = read(0x08);
  const ofBytes = read(0x12);
  if (index === undefined || ofBytes !== length - at) return undefined;
  return { kind: 'piece', index, bytes: cutFrom(frame, at) };
}

function cutTo(parts: readonly Uint8Array[], length: number): Uint8Array[] {
  const cut: Uint8Array[] = [];
  let left = length;
  for (const part of parts) {
    if (left <= 0) break;
    cut.push(part.subarray(0, left));
    left -= part.length;
  }
  return cut;
}

function cutFrom(parts: readonly Uint8Array[], at: number): Uint8Array[] {
  let left = at;
  return parts.flatMap((part) => {
    const cut = part.subarray(left);
    left = Math.max(0, left - part.length);
    return cut.length > 0 ? [cut] : [];
  });
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

export function encodeWanted({ sha256, sizeBytes }: BlockFile): Uint8Array {
  return encodeRequest({ file: { sha256: fromHex(sha256) ?? null, sizeBytes } });
}

/** The first message of a channel. @throws `message.malformed`, `input.invalid` */
export function decodeWanted(frame: Uint8Array): BlockFile {
  const { file } = BlocksRequest.decode(frame);
  if (file?.sha256.length !== 32) throw malformed('the first message does not say which file');
  layoutOf(file.sizeBytes);
  return { sha256: toHex(file.sha256), sizeBytes: file.sizeBytes };
}

/** @throws `message.malformed` */
export function decodeRequest(frame: Uint8Array, layout: PieceLayout): AskerMessage {
  const { list, order } = BlocksRequest.decode(frame);
  if (list) return { kind: 'list' };
  const pieces = order && PieceSet.fromBytes(order.pieces, layout.count);
  if (!pieces) throw malformed('neither a list is asked for nor pieces that the file has');
  return { kind: 'order', pieces, allowed: order.allowed };
}

/** @throws `message.malformed` */
export function decodeReply(frame: readonly Uint8Array[], layout: PieceLayout): HolderMessage {
  const plain = readPiece(frame);
  if (plain) return plain;
  const { holdings, list, piece, refusal } = BlocksReply.decode(joined(frame));
  if (piece) return { kind: 'piece', index: piece.index, bytes: [piece.bytes] };
  if (list) return { kind: 'list', hashes: list.hashes };
  if (refusal) return { kind: 'refusal', code: refusal.code };
  if (!holdings) throw malformed('nothing that is known here');
  const { root, whole, sparing } = holdings;
  if (root.length === 0) {
    return {
      kind: 'holdings',
      holdings: { root: undefined, pieces: new PieceSet(layout.count), whole: false, sparing },
    };
  }
  const pieces = whole ? PieceSet.all(layout.count) : PieceSet.fromBytes(holdings.pieces, layout.count);
  if (root.length !== 32 || !pieces) throw malformed('pieces are named that the file does not have');
  return { kind: 'holdings', holdings: { root, pieces, whole, sparing } };
}

function malformed(what: string): ShoalError {
  return new ShoalError('message.malformed', `blocks: ${what}`);
}
