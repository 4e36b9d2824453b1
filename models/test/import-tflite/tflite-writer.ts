/** Writes small TFLite files for tests: a real flatbuffer, laid out from the root down. */

type Scalar = { readonly i8: number } | { readonly i32: number } | { readonly f32: number };
type Reference =
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] }
  | { readonly bytes: Uint8Array; readonly elementBytes: number };
export type Fields = Readonly<Record<number, Scalar | Reference>>;

export interface TensorSpec {
  readonly name: string;
  readonly type: keyof typeof typeNumbers;
  readonly shape: readonly number[];
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  readonly data?: Float32Array | Int32Array | Int8Array | Uint8Array;
}

export interface OperatorSpec {
  /** Number in `BuiltinOperator`, or the name of a custom operator. */
  readonly code: number | string;
  /** Names of tensors; '' for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly options?: Fields;
}

export interface ModelSpec {
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const typeNumbers = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, string: 5, int8: 9 } as const;
const customOperator = 32;

export function writeTflite(model: ModelSpec): Uint8Array {
  const index = (name: string) => (name === '' ? -1 : model.tensors.findIndex((tensor) => tensor.name === name));
  const codes = [...new Set(model.operators.map((operator) => operator.code))];
  const graph: Fields = {
    0: { tables: model.tensors.map((tensor, position) => tensorTable(tensor, position + 1)) },
    1: i32s(model.inputs.map(index)),
    2: i32s(model.outputs.map(index)),
    3: {
      tables: model.operators.map((operator) => ({
        0: { i32: codes.indexOf(operator.code) },
        1: i32s(operator.inputs.map(index)),
        2: i32s(operator.outputs.map(index)),
        ...(operator.options ? { 4: { table: operator.options } } : {}),
      })),
    },
  };
  const writer = new Writer();
  writer.root({
    0: { i32: 3 },
    1: { tables: codes.map(codeTable) },
    2: { tables: [graph] },
    4: { tables: [{}, ...model.tensors.map((tensor) => (tensor.data ? { 0: asBytes(tensor.data) } : {}))] },
  });
  return writer.finish();
}

function codeTable(code: number | string): Fields {
  return typeof code === 'string'
    ? { 0: { i8: customOperator }, 1: text(code), 3: { i32: customOperator } }
    : { 0: { i8: Math.min(code, 127) }, 3: { i32: code } };
}

function tensorTable(tensor: TensorSpec, buffer: number): Fields {
  const { scales, zeroPoints = [], axis = 0 } = tensor;
  const quantization: Fields | undefined = scales && {
    2: { bytes: bytesOf(Float32Array.from(scales)), elementBytes: 4 },
    3: {
      bytes: bytesOf(BigInt64Array.from(scales, (_, channel) => BigInt(zeroPoints[channel] ?? 0))),
      elementBytes: 8,
    },
    6: { i32: axis },
  };
  return {
    0: i32s(tensor.shape),
    1: { i8: typeNumbers[tensor.type] },
    2: { i32: buffer },
    3: text(tensor.name),
    ...(quantization ? { 4: { table: quantization } } : {}),
  };
}

const text = (value: string): Reference => ({ bytes: new TextEncoder().encode(value), elementBytes: 1 });
const i32s = (values: readonly number[]): Reference => ({ bytes: bytesOf(Int32Array.from(values)), elementBytes: 4 });
const asBytes = (data: NonNullable<TensorSpec['data']>): Reference => ({ bytes: bytesOf(data), elementBytes: 1 });

function bytesOf(array: NonNullable<TensorSpec['data']> | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

class Writer {
  #buffer = Buffer.alloc(1 << 16);
  #end = 0;

  root(fields: Fields): void {
    const at = this.#take(8);
    this.#buffer.write('TFL3', at + 4, 'latin1');
    this.#point(at, () => this.#table(fields));
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#buffer.subarray(0, this.#end));
  }

  #table(fields: Fields): number {
    const entries = Object.entries(fields).map(([field, value]) => [Number(field), value] as const);
    const slots = Math.max(-1, ...entries.map(([field]) => field)) + 1;
    const vtable = this.#take(4 + 2 * slots);
    const table = this.#take(8 + 8 * entries.length);
    this.#buffer.writeUInt16LE(4 + 2 * slots, vtable);
    this.#buffer.writeUInt16LE(8 + 8 * entries.length, vtable + 2);
    this.#buffer.writeInt32LE(table - vtable, table);
    for (const [position, [field, value]] of entries.entries()) {
      this.#buffer.writeUInt16LE(8 + 8 * position, vtable + 4 + 2 * field);
      this.#field(table + 8 + 8 * position, value);
    }
    return table;
  }

  #field(at: number, value: Scalar | Reference): void {
    if ('i8' in value) this.#buffer.writeInt8(value.i8, at);
    else if ('i32' in value) this.#buffer.writeInt32LE(value.i32, at);
    else if ('f32' in value) this.#buffer.writeFloatLE(value.f32, at);
    else if ('table' in value) this.#point(at, () => this.#table(value.table));
    else if ('tables' in value) this.#point(at, () => this.#tables(value.tables));
    else this.#point(at, () => this.#vector(value.bytes, value.elementBytes));
  }

  #tables(tables: readonly Fields[]): number {
    const at = this.#take(4 + 4 * tables.length);
    this.#buffer.writeUInt32LE(tables.length, at);
    for (const [position, fields] of tables.entries()) this.#point(at + 4 + 4 * position, () => this.#table(fields));
    return at;
  }

  #vector(bytes: Uint8Array, elementBytes: number): number {
    const at = this.#take(4 + bytes.length);
    this.#buffer.writeUInt32LE(bytes.length / elementBytes, at);
    this.#buffer.set(bytes, at + 4);
    return at;
  }

  #point(at: number, write: () => number): void {
    this.#buffer.writeUInt32LE(write() - at, at);
  }

  #take(bytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + bytes) / 8) * 8;
    while (this.#end > this.#buffer.length)
      this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(this.#buffer.length)]);
    return at;
  }
}
