import { ShoalError } from '@shoal/protocol';

/** How often the bytes of a file may be read in all. Honest files share nothing; overlapping vectors would multiply work. */
const readsPerByte = 4;

/**
 * A flatbuffer that nobody has checked: every read is checked against the file's end, and the sum of all reads against a
 * budget, so that no file of any content can crash the reader or keep it busy.
 * Source: https://flatbuffers.dev/internals
 */
export class FlatBuffer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #budget: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = bytes.length * readsPerByte;
  }

  root(): FlatTable {
    return new FlatTable(this, this.offset(0));
  }

  /** Four characters at byte 4 that name the schema. */
  identifier(): string {
    return String.fromCharCode(...this.bytes(4, 4));
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#checked(at, 1));
  }

  i8(at: number): number {
    return this.#view.getInt8(this.#checked(at, 1));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#checked(at, 2), true);
  }

  i32(at: number): number {
    return this.#view.getInt32(this.#checked(at, 4), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#checked(at, 4), true);
  }

  i64(at: number): number {
    return Number(this.#view.getBigInt64(this.#checked(at, 8), true));
  }

  f32(at: number): number {
    return this.#view.getFloat32(this.#checked(at, 4), true);
  }

  /** The position that the offset at `at` points to. */
  offset(at: number): number {
    return at + this.u32(at);
  }

  /** A view of the bytes; free of charge, whatever its length. */
  bytes(at: number, length: number): Uint8Array {
    if (at < 0 || length < 0 || at + length > this.#bytes.length) throw corrupt(at);
    return this.#bytes.subarray(at, at + length);
  }

  text(at: number, length: number): string {
    this.#checked(at, length);
    return new TextDecoder().decode(this.bytes(at, length));
  }

  #checked(at: number, size: number): number {
    this.#budget -= size;
    if (at < 0 || at + size > this.#bytes.length || this.#budget < 0) throw corrupt(at);
    return at;
  }
}

/** A table: fields by number, each present or left at its default. */
export class FlatTable {
  readonly #buffer: FlatBuffer;
  readonly #at: number;
  readonly #fields: number;
  readonly #fieldsSize: number;

  constructor(buffer: FlatBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
    this.#fields = at - buffer.i32(at);
    this.#fieldsSize = buffer.u16(this.#fields);
  }

  u8(field: number, byDefault = 0): number {
    const at = this.#position(field);
    return at === undefined ? byDefault : this.#buffer.u8(at);
  }

  i8(field: number, byDefault = 0): number {
    const at = this.#position(field);
    return at === undefined ? byDefault : this.#buffer.i8(at);
  }

  i32(field: number, byDefault = 0): number {
    const at = this.#position(field);
    return at === undefined ? byDefault : this.#buffer.i32(at);
  }

  f32(field: number, byDefault = 0): number {
    const at = this.#position(field);
    return at === undefined ? byDefault : this.#buffer.f32(at);
  }

  text(field: number): string {
    const vector = this.#vector(field);
    return vector ? this.#buffer.text(vector.at, vector.length) : '';
  }

  bytes(field: number): Uint8Array | undefined {
    const vector = this.#vector(field);
    return vector && this.#buffer.bytes(vector.at, vector.length);
  }

  i32s(field: number): number[] {
    return this.#elements(field, 4, (at) => this.#buffer.i32(at));
  }

  i64s(field: number): number[] {
    return this.#elements(field, 8, (at) => this.#buffer.i64(at));
  }

  f32s(field: number): number[] {
    return this.#elements(field, 4, (at) => this.#buffer.f32(at));
  }

  table(field: number): FlatTable | undefined {
    const at = this.#position(field);
    return at === undefined ? undefined : new FlatTable(this.#buffer, this.#buffer.offset(at));
  }

  tables(field: number): FlatTable[] {
    return this.#elements(field, 4, (at) => new FlatTable(this.#buffer, this.#buffer.offset(at)));
  }

  #elements<T>(field: number, size: number, read: (at: number) => T): T[] {
    const vector = this.#vector(field);
    if (!vector) return [];
    this.#buffer.bytes(vector.at, vector.length * size);
    return Array.from({ length: vector.length }, (_, index) => read(vector.at + index * size));
  }

  #vector(field: number): { readonly at: number; readonly length: number } | undefined {
    const position = this.#position(field);
    if (position === undefined) return undefined;
    const at = this.#buffer.offset(position);
    return { at: at + 4, length: this.#buffer.u32(at) };
  }

  /** Where the field's value lies, or `undefined` when it was left out. */
  #position(field: number): number | undefined {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#fieldsSize) return undefined;
    const offset = this.#buffer.u16(this.#fields + entry);
    return offset === 0 ? undefined : this.#at + offset;
  }
}

function corrupt(at: number): ShoalError {
  return new ShoalError('model.import', `the TFLite file is corrupt or was cut short (at byte ${at})`, { at });
}
