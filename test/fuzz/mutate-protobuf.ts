import type { Dice } from './dice.ts';
import { troublesomeTexts } from './mutate-text.ts';

/** One field of a message on the wire (protobuf encoding: a tag, then a value of one of a few types). */
interface Field {
  readonly number: number;
  readonly wireType: number;
  /** As on the wire, without the tag; for `lengthDelimited` without the length. */
  readonly value: Uint8Array;
}

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const startGroup = 3;
const fixed32 = 5;

const wholeNumbers = [0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048];
const doubles = [NaN, Infinity, -Infinity, -0, 1e308, 5e-324, -1, 2 ** 53];

/** Fields are looked for so deep. */
const deepest = 6;

/** Changes what a message says and leaves it a message, mostly. @returns `undefined` when it is none. */
export function mutateProtobuf(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array | undefined {
  return changed(bytes, dice, other, deepest);
}

function changed(bytes: Uint8Array, dice: Dice, other: Uint8Array, levels: number): Uint8Array | undefined {
  const fields = fieldsOf(bytes);
  if (!fields) return undefined;
  const at = dice.below(fields.length);
  const field = fields[at] as Field;
  // Further down as often as not.
  const inner =
    field.wireType === lengthDelimited && levels > 0 && dice.oneIn(2)
      ? changed(field.value, dice, other, levels - 1)
      : undefined;
  const written = fields.map(writtenField);
  written.splice(
    at,
    1,
    ...(inner ? [writtenField({ ...field, value: inner })] : changesOf(field, fields, dice, other)),
  );
  return Buffer.concat(written);
}

/** What stands in the place of a field. */
function changesOf(field: Field, fields: readonly Field[], dice: Dice, other: Uint8Array): readonly Uint8Array[] {
  const itself = writtenField(field);
  switch (dice.below(12)) {
    case 0:
      return [];
    case 1:
      return [repeated(itself, dice.oneIn(100) ? 3_000 : 2 + dice.below(3))];
    case 2:
      return [writtenField(dice.pick(fields)), itself];
    case 3:
      return [
        writtenField({ ...field, number: dice.pick([1, 2, 3, field.number + 1, 1 + dice.below(60), 2 ** 29 - 1]) }),
      ];
    case 4:
      return [tagOf(field.number, dice.below(8)), field.value];
    case 5:
      return [writtenField({ ...field, ...strangeValue(field, dice) })];
    case 6:
      // A length that is not that of what follows.
      return [tagOf(field.number, lengthDelimited), varintOf(dice.pick(wholeNumbers)), field.value];
    case 7:
      return [tagOf(field.number, varint), Buffer.alloc(dice.below(12), 0x80 | dice.below(128)), Uint8Array.of(1)];
    case 8:
      return [nested(field, dice.oneIn(100) ? 5_000 : dice.below(20))];
    case 9:
      return [repeated(tagOf(field.number, startGroup), dice.oneIn(100) ? 30_000 : dice.below(200))];
    case 10:
      return [writtenField(dice.pick(fieldsOf(other) ?? fields))];
    default:
      return [itself, writtenField({ number: 100 + dice.below(1_000), wireType: varint, value: varintOf(1) })];
  }
}

function strangeValue(field: Field, dice: Dice): Pick<Field, 'value'> {
  switch (field.wireType) {
    case varint:
      return { value: varintOf(dice.pick(wholeNumbers)) };
    case fixed64: {
      const value = Buffer.alloc(8);
      value.writeDoubleLE(dice.pick(doubles));
      return { value };
    }
    case fixed32: {
      const value = Buffer.alloc(4);
      value.writeFloatLE(dice.pick(doubles));
      return { value };
    }
    default:
      return { value: dice.oneIn(3) ? dice.bytes(dice.length()) : Buffer.from(dice.pick(troublesomeTexts), 'utf16le') };
  }
}

function repeated(piece: Uint8Array, times: number): Uint8Array {
  return Buffer.alloc(piece.length * times, piece);
}

/** A field in a field in a field, all of the same number. */
function nested(field: Field, levels: number): Uint8Array {
  let value = field.value;
  for (let level = 0; level < levels && value.length < 100_000; level++)
    value = writtenField({ number: field.number, wireType: lengthDelimited, value });
  return value;
}

function writtenField({ number, wireType, value }: Field): Uint8Array {
  const tag = tagOf(number, wireType);
  return wireType === lengthDelimited
    ? Buffer.concat([tag, varintOf(value.length), value])
    : Buffer.concat([tag, value]);
}

function tagOf(number: number, wireType: number): Uint8Array {
  return varintOf(number * 8 + wireType);
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** The fields of a message, at least one; `undefined` when the bytes cannot be one. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    if (!tag || tag.value < 8 || tag.value > 0xffff) return undefined;
    const [number, wireType] = [tag.value >>> 3, tag.value & 7];
    const extent = extentOf(bytes, tag.end, wireType);
    if (!extent || extent.end > bytes.length) return undefined;
    fields.push({ number, wireType, value: bytes.subarray(extent.start, extent.end) });
    at = extent.end;
  }
  return fields.length > 0 ? fields : undefined;
}

function extentOf(bytes: Uint8Array, at: number, wireType: number): { start: number; end: number } | undefined {
  if (wireType === fixed64) return { start: at, end: at + 8 };
  if (wireType === fixed32) return { start: at, end: at + 4 };
  const read = wireType === varint || wireType === lengthDelimited ? readVarint(bytes, at) : undefined;
  if (!read) return undefined;
  return wireType === varint ? { start: at, end: read.end } : { start: read.end, end: read.end + read.value };
}

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}
