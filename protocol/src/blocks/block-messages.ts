import { fromHex, toHex } from '../bytes/index.ts';
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
  | { readonly kind: 'piece'; readonly index: number; readonly bytes: Uint8Array }
  | { readonly kind: 'refusal'; readonly code: string };

export function encodeRequest(request: BlocksRequestInit): Uint8Array {
  return BlocksRequest.encode(request);
}

export function encodeReply(reply: BlocksReplyInit): Uint8Array {
  return BlocksReply.encode(reply);
}

/** What stands before the bytes of a piece in its reply: so that they need not be copied, once more for each asker. */
export function headOfPiece(index: number, length: number): Uint8Array {
  const piece = [0x08, ...varint(index), 0x12, ...varint(length)];
  return Uint8Array.from([0x1a, ...varint(piece.length + length), ...piece]);
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
export function decodeReply(frame: Uint8Array, layout: PieceLayout): HolderMessage {
  const { holdings, list, piece, refusal } = BlocksReply.decode(frame);
  if (piece) return { kind: 'piece', index: piece.index, bytes: piece.bytes };
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
