import { ShoalError } from '@shoal/protocol';
import { FlatBuffer, type FlatTable } from './flatbuffer.ts';
import { operatorName } from './operator-names.ts';

/** What a TFLite file says, as far as the importer needs it: its first subgraph. */
export interface TfliteModel {
  readonly tensors: readonly TfliteTensor[];
  /** In an order in which they can run. */
  readonly operators: readonly TfliteOperator[];
  /** Indices of tensors. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface TfliteTensor {
  readonly index: number;
  readonly name: string;
  readonly type: TfliteType;
  readonly shape: readonly number[];
  readonly quantization?: TfliteQuantization;
  /** Only constants have data: elements in row-major order, little-endian. */
  readonly data?: Uint8Array;
}

/** `value = (element - zeroPoint) * scale`, with one pair for the tensor or one for each index of `axis`. */
export interface TfliteQuantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

export interface TfliteOperator {
  /** `CONV_2D`, or a custom operator's own name. */
  readonly name: string;
  /** Tensor indices; -1 for an optional input that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The fields of the operator's options, by their numbers in TFLite's schema; every field has a default. */
  readonly options: TfliteOptions;
}

/** Options that may be missing altogether: then every field has its default. */
export interface TfliteOptions {
  i8(field: number, byDefault?: number): number;
  i32(field: number, byDefault?: number): number;
  f32(field: number, byDefault?: number): number;
}

/** `TensorType` of the schema, in order. */
const typeNames = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
] as const;
export type TfliteType = (typeof typeNames)[number];

const elementSizes: Partial<Record<TfliteType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint8: 1,
  int64: 8,
  int8: 1,
  int16: 2,
};

const noOptions: TfliteOptions = {
  i8: (_, byDefault = 0) => byDefault,
  i32: (_, byDefault = 0) => byDefault,
  f32: (_, byDefault = 0) => byDefault,
};

/** Tensors of more dimensions than this are not used by any operator that is known here. */
const largestRank = 8;

/**
 * Reads a `.tflite` file. Tensor data are views of `bytes`.
 * Source: tensorflow/lite/schema/schema.fbs, version 3; field numbers are in its order.
 * @throws `model.import` for anything that is not a sound TFLite file.
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  const file = new FlatBuffer(bytes);
  if (bytes.length < 8 || file.identifier() !== 'TFL3') {
    throw new ShoalError('model.import', 'the file is not a TFLite model: its bytes 4 to 8 are not TFL3');
  }
  const model = file.root();
  const codes = model.tables(1).map(operatorCode);
  const buffers = model.tables(4).map((buffer) => buffer.bytes(0));
  const graph = model.tables(2)[0];
  if (!graph) throw new ShoalError('model.import', 'the TFLite file holds no graph');
  const tensors = graph.tables(0).map((table, index) => readTensor(table, index, buffers));
  const known = (index: number) => checkIndex(index, tensors.length);
  const operators = graph.tables(3).map((table) => readOperator(table, codes, known));
  const inputs = graph.i32s(1).map(known);
  checkProducedOnce(tensors, [...inputs, ...operators.flatMap((operator) => operator.outputs)]);
  return { tensors, operators, inputs, outputs: graph.i32s(2).map(known) };
}

function checkProducedOnce(tensors: readonly TfliteTensor[], produced: readonly number[]): void {
  const seen = new Set<number>();
  for (const index of produced) {
    const { name = '', data } = tensors[index] ?? {};
    if (data || seen.has(index)) {
      throw new ShoalError('model.import', `tensor ${name} of the TFLite file is produced twice, or is a constant`, {
        tensor: name,
      });
    }
    seen.add(index);
  }
}

/** Old files have the code in a byte, new ones (codes above 127) in a field of its own; the larger one counts. */
function operatorCode(table: FlatTable): string {
  const code = Math.max(table.i8(0), table.i32(3));
  return operatorName(code) === 'CUSTOM' ? table.text(1) || 'CUSTOM' : operatorName(code);
}

function readTensor(table: FlatTable, index: number, buffers: readonly (Uint8Array | undefined)[]): TfliteTensor {
  const name = table.text(3) || `tensor ${index}`;
  const fail = (what: string) =>
    new ShoalError('model.import', `tensor ${name} of the TFLite file ${what}`, { tensor: name });
  const type = typeNames[table.u8(1)];
  if (!type) throw fail(`has the unknown type ${table.u8(1)}`);
  const shape = table.i32s(0);
  if (shape.length > largestRank || shape.some((size) => size < 0))
    throw fail(`has the impossible shape ${shape.slice(0, 16)}`);
  const data = buffers[table.i32(2)];
  if (data?.length && data.length !== elementCount(shape) * (elementSizes[type] ?? Number.NaN)) {
    throw fail(`has ${data.length} bytes of data, which does not fit ${type} [${shape}]`);
  }
  const quantization = readQuantization(table.table(4));
  if (quantization && !isSound(quantization, shape)) throw fail('has a quantization that does not fit its shape');
  return { index, name, type, shape, ...(data?.length ? { data } : {}), ...(quantization ? { quantization } : {}) };
}

function readQuantization(table: FlatTable | undefined): TfliteQuantization | undefined {
  const scales = table?.f32s(2) ?? [];
  if (!table || scales.length === 0) return undefined;
  const zeroPoints = table.i64s(3);
  return { scales, zeroPoints: scales.map((_, index) => zeroPoints[index] ?? 0), axis: table.i32(6) };
}

function isSound({ scales, zeroPoints, axis }: TfliteQuantization, shape: readonly number[]): boolean {
  return (
    scales.every((scale) => Number.isFinite(scale) && scale > 0) &&
    zeroPoints.every((zeroPoint) => zeroPoint >= -128 && zeroPoint <= 255) &&
    (scales.length === 1 || shape[axis] === scales.length)
  );
}

function readOperator(table: FlatTable, codes: readonly string[], known: (index: number) => number): TfliteOperator {
  const name = codes[table.i32(0)];
  if (name === undefined) throw new ShoalError('model.import', `the TFLite file has no operator code ${table.i32(0)}`);
  return {
    name,
    inputs: table.i32s(1).map((index) => (index === -1 ? -1 : known(index))),
    outputs: table.i32s(2).map(known),
    options: table.table(4) ?? noOptions,
  };
}

function checkIndex(index: number, count: number): number {
  if (index >= 0 && index < count) return index;
  throw new ShoalError('model.import', `the TFLite file has no tensor ${index}: it has ${count}`, { tensor: index });
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
