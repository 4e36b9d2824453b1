import type { Dice } from './dice.ts';

type Change = (bytes: Buffer, dice: Dice, other: Uint8Array) => Uint8Array;

/** Where numbers go wrong: the ends of each width, and what is just beyond. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** More than any decoder's small buffers, less than what would only test the memory. */
const mostRepeats = 20_000;

/** Changes that know nothing of what the bytes say. */
const changes: readonly Change[] = [
  (bytes, dice) => set(bytes, dice, (byte) => byte ^ (1 << dice.below(8))),
  (bytes, dice) => set(bytes, dice, () => dice.below(256)),
  (bytes, dice) => set(bytes, dice, () => dice.pick([0, 0x7f, 0x80, 0xff])),
  // A number of two, four or eight bytes, in either order: lengths, counts, offsets.
  overwriteNumber,
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length + 1)),
  (bytes, dice) => bytes.subarray(dice.below(bytes.length + 1)),
  (bytes, dice) => replaced(bytes, dice, () => Buffer.alloc(0)),
  (bytes, dice) => inserted(bytes, dice, dice.bytes(dice.length())),
  (bytes, dice) => inserted(bytes, dice, pieceOf(bytes, dice)),
  (bytes, dice, other) => inserted(bytes, dice, pieceOf(Buffer.from(other), dice)),
  (bytes, dice) => replaced(bytes, dice, (piece) => piece.toReversed()),
  (bytes, dice) => replaced(bytes, dice, (piece) => piece.map(() => dice.pick([0, 0xff]))),
  // The head of one and the tail of another.
  (bytes, dice, other) =>
    Buffer.concat([bytes.subarray(0, dice.below(bytes.length + 1)), other.subarray(dice.below(other.length + 1))]),
  repeated,
];

export function mutateBytes(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array {
  return dice.pick(changes)(Buffer.from(bytes), dice, other);
}

function set(bytes: Buffer, dice: Dice, change: (byte: number) => number): Uint8Array {
  const at = dice.below(bytes.length);
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = change(byte);
  return bytes;
}

function overwriteNumber(bytes: Buffer, dice: Dice): Uint8Array {
  const width = dice.pick([2, 4, 8]);
  if (bytes.length < width) return bytes;
  const at = dice.below(bytes.length - width + 1);
  const value = dice.oneIn(3) ? bytes.length + dice.below(9) - 4 : dice.pick(edges);
  const signed = BigInt(dice.oneIn(4) ? -value : value);
  const written = Buffer.alloc(8);
  if (dice.oneIn(2)) {
    written.writeBigInt64LE(signed);
    bytes.set(written.subarray(0, width), at);
  } else {
    written.writeBigInt64BE(signed);
    bytes.set(written.subarray(8 - width), at);
  }
  return bytes;
}

function range(bytes: Buffer, dice: Dice): readonly [from: number, to: number] {
  const from = dice.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + dice.length())];
}

function pieceOf(bytes: Buffer, dice: Dice): Uint8Array {
  return bytes.subarray(...range(bytes, dice));
}

function inserted(bytes: Buffer, dice: Dice, piece: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function replaced(bytes: Buffer, dice: Dice, change: (piece: Uint8Array) => Uint8Array): Uint8Array {
  const [from, to] = range(bytes, dice);
  return Buffer.concat([bytes.subarray(0, from), change(bytes.subarray(from, to)), bytes.subarray(to)]);
}

/** The same piece very often: counts, levels, and whatever takes more than its share of time by the length. */
function repeated(bytes: Buffer, dice: Dice): Uint8Array {
  const piece = pieceOf(bytes, dice).subarray(0, 8);
  const times = dice.oneIn(100) ? dice.below(mostRepeats) : dice.below(40);
  return piece.length === 0 ? bytes : inserted(bytes, dice, Buffer.alloc(piece.length * times, piece));
}
