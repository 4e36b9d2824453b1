import { ShoalError } from '@shoal/protocol';
import { OnnxGraphBuilder } from '../onnx-format/index.ts';
import { dequantized, elementsOf, permuted, permutedShape } from './constants.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './tflite-model.ts';

/** `int8` keeps the quantization of the file, as QuantizeLinear/DequantizeLinear around each operator; `float32` drops it. */
export type ImportPrecision = 'int8' | 'float32';

/** TFLite keeps pictures as rows, columns, channels (`last`), ONNX wants channels, rows, columns (`first`). Rank 4 only. */
export type ChannelOrder = 'first' | 'last';

const orderTo = { first: [0, 3, 1, 2], last: [0, 2, 3, 1] } as const;

/** Quantization of one activation as unsigned bytes. */
export interface ByteQuantization {
  readonly scale: number;
  /** 0..255 */
  readonly zeroPoint: number;
}

/** A tensor that the graph computes: names of ONNX values that hold it, as bytes, as floats, in either channel order. */
interface Computed {
  readonly bytes: Map<ChannelOrder, string>;
  readonly floats: Map<ChannelOrder, string>;
  readonly quantization: ByteQuantization | undefined;
}

/** What the operators' converters share: the graph that grows, and where each TFLite tensor is found in it. */
export class ImportContext {
  readonly graph = new OnnxGraphBuilder();
  readonly model: TfliteModel;
  readonly precision: ImportPrecision;
  readonly #computed = new Map<number, Computed>();
  /** Constants that an operator only gave another type, by the tensor they became. */
  readonly #renamedConstants = new Map<number, TfliteTensor>();

  constructor(model: TfliteModel, precision: ImportPrecision) {
    this.model = model;
    this.precision = precision;
  }

  tensor(index: number | undefined): TfliteTensor {
    const tensor = this.model.tensors[index ?? -1];
    if (!tensor) throw new ShoalError('model.import', 'an operator of the TFLite file lacks a tensor that it needs');
    return tensor;
  }

  /** The constant at `index`, or `undefined` when it is computed or left out. */
  constantAt(index: number | undefined): TfliteTensor | undefined {
    if (index === undefined || index < 0) return undefined;
    const tensor = this.#renamedConstants.get(index) ?? this.tensor(index);
    return tensor.data ? tensor : undefined;
  }

  /** Whole numbers of a constant, for example the size of a resize. */
  integers(index: number | undefined): number[] {
    const numbers = [...elementsOf(this.constantAt(index) ?? this.tensor(index))];
    if (numbers.every(Number.isSafeInteger)) return numbers;
    throw new ShoalError('model.import', `tensor ${this.tensor(index).name} must hold whole numbers`);
  }

  /**
   * How a tensor is quantized in the new graph; `undefined` when it is a float there. Signed bytes become unsigned ones with a
   * zero point 128 higher: ONNX Runtime leaves convolutions on signed activations in floating point.
   */
  quantizationOf(index: number | undefined): ByteQuantization | undefined {
    return this.precision === 'int8' ? byteQuantization(this.tensor(index)) : undefined;
  }

  /** A tensor that arrives as unsigned bytes from outside, whatever the precision of the graph. */
  defineInputBytes(index: number, name: string): void {
    const quantization = byteQuantization(this.tensor(index));
    this.#computed.set(index, { bytes: new Map([['last', name]]), floats: new Map(), quantization });
  }

  /** Says that the float value `name` is the tensor; it is quantized when the tensor is. */
  define(index: number | undefined, name: string, order: ChannelOrder): void {
    const tensor = this.tensor(index);
    const quantization = this.quantizationOf(index);
    if (!quantization) {
      this.#computed.set(tensor.index, { bytes: new Map(), floats: new Map([[order, name]]), quantization });
      return;
    }
    const bytes = this.graph.node('QuantizeLinear', [name, ...this.#quantizationConstants(tensor.index, quantization)]);
    this.#computed.set(tensor.index, { bytes: new Map([[order, bytes]]), floats: new Map(), quantization });
  }

  /** Says that `to` holds what `from` holds, under another type. */
  alias(to: number | undefined, from: number | undefined): void {
    const constant = this.constantAt(from);
    if (constant) this.#renamedConstants.set(this.tensor(to).index, constant);
    else this.#computed.set(this.tensor(to).index, this.#computedAt(from));
  }

  /** The ONNX float value of a tensor. */
  float(index: number | undefined, order: ChannelOrder): string {
    const constant = this.constantAt(index);
    if (constant) return this.#floatConstant(constant, order);
    const computed = this.#computedAt(index);
    const known = computed.floats.get(order);
    if (known) return known;
    const { quantization } = computed;
    const name = quantization
      ? this.graph.node('DequantizeLinear', [
          this.#reordered(computed.bytes, order, index),
          ...this.#quantizationConstants(index ?? -1, quantization),
        ])
      : this.#reordered(computed.floats, order, index);
    computed.floats.set(order, name);
    return name;
  }

  /** The ONNX `uint8` value of a quantized tensor. */
  bytes(
    index: number | undefined,
    order: ChannelOrder,
  ): { readonly name: string; readonly quantization: ByteQuantization } {
    const computed = this.#computedAt(index);
    if (!computed.quantization) {
      throw new ShoalError(
        'model.import',
        `tensor ${this.tensor(index).name} is not quantized: import the model as float32`,
      );
    }
    return { name: this.#reordered(computed.bytes, order, index), quantization: computed.quantization };
  }

  /**
   * For an operator that moves elements and computes nothing: works on bytes when all tensors share one quantization (so the
   * runtime has nothing to fuse), else on floats.
   */
  move(
    inputs: readonly number[],
    output: number | undefined,
    order: ChannelOrder,
    emit: (names: string[]) => string,
  ): void {
    const quantization = this.quantizationOf(output);
    const alike =
      quantization && inputs.every((input) => sameQuantization(this.#computed.get(input)?.quantization, quantization));
    if (!alike) {
      this.define(output, emit(inputs.map((input) => this.float(input, order))), order);
      return;
    }
    const name = emit(inputs.map((input) => this.bytes(input, order).name));
    this.#computed.set(this.tensor(output).index, { bytes: new Map([[order, name]]), floats: new Map(), quantization });
  }

  /** The order that costs no transpose for an operator that works in either one. */
  cheapestOrder(inputs: readonly number[], output: number | undefined): ChannelOrder {
    const computed = inputs.filter((input) => !this.constantAt(input));
    const pictures = [...computed, output].every((index) => this.tensor(index).shape.length === 4);
    if (!pictures) return 'last';
    const hasFirst = (index: number) =>
      this.#computedAt(index).bytes.has('first') || this.#computedAt(index).floats.has('first');
    return computed.some(hasFirst) ? 'first' : 'last';
  }

  fail(operator: TfliteOperator, what: string): ShoalError {
    const tensor = this.model.tensors[operator.outputs[0] ?? -1]?.name ?? '';
    return new ShoalError('model.import', `${operator.name} (tensor ${tensor}) ${what}`, {
      operator: operator.name,
      tensor,
    });
  }

  #computedAt(index: number | undefined): Computed {
    const computed = this.#computed.get(index ?? -1);
    if (computed) return computed;
    throw new ShoalError('model.import', `tensor ${this.tensor(index).name} is used before anything computes it`);
  }

  /** The value in the wanted order; the transpose is made once. */
  #reordered(names: Map<ChannelOrder, string>, order: ChannelOrder, index: number | undefined): string {
    const known = names.get(order);
    if (known) return known;
    const other = names.get(order === 'first' ? 'last' : 'first');
    const tensor = this.tensor(index);
    if (!other || tensor.shape.length !== 4) {
      throw new ShoalError(
        'model.import',
        `tensor ${tensor.name} must have 4 dimensions here, has ${tensor.shape.length}`,
      );
    }
    const name = this.graph.node('Transpose', [other], { perm: orderTo[order] });
    names.set(order, name);
    return name;
  }

  /** A constant for both orders needs two names. Leading ones are added so that it broadcasts in either order. */
  #floatConstant(tensor: TfliteTensor, order: ChannelOrder): string {
    if (order === 'last') return this.graph.constant(`c${tensor.index}`, tensor.shape, dequantized(tensor));
    const shape = [...Array.from({ length: Math.max(0, 4 - tensor.shape.length) }, () => 1), ...tensor.shape];
    const elements = permuted(dequantized(tensor), shape, orderTo.first);
    return this.graph.constant(`c${tensor.index}_first`, permutedShape(shape, orderTo.first), elements);
  }

  #quantizationConstants(index: number, { scale, zeroPoint }: ByteQuantization): [scale: string, zeroPoint: string] {
    return [
      this.graph.constant(`t${index}_scale`, [], Float32Array.of(scale)),
      this.graph.constant(`t${index}_zero`, [], Uint8Array.of(zeroPoint)),
    ];
  }
}

function byteQuantization({ type, quantization }: TfliteTensor): ByteQuantization | undefined {
  const [scale, ...more] = quantization?.scales ?? [];
  const [zeroPoint = 0] = quantization?.zeroPoints ?? [];
  if (scale === undefined || more.length > 0) return undefined;
  if (type === 'uint8' && zeroPoint >= 0) return { scale, zeroPoint };
  if (type === 'int8' && zeroPoint <= 127) return { scale, zeroPoint: zeroPoint + 128 };
  return undefined;
}

export function sameQuantization(a: ByteQuantization | undefined, b: ByteQuantization | undefined): boolean {
  return a !== undefined && b !== undefined && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}
