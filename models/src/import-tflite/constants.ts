import { ShoalError } from '@shoal/protocol';
import { elementCount, type TfliteTensor } from './tflite-model.ts';

export type ConstantElements = Float32Array | Int32Array | Uint8Array | Int8Array;

/** The elements of a constant, in a copy that is aligned; 64-bit integers as 32-bit ones, half floats as floats. */
export function elementsOf(tensor: TfliteTensor): ConstantElements {
  if (!tensor.data) throw constantError(tensor, 'must be a constant, and is not');
  const { buffer } = Uint8Array.from(tensor.data);
  switch (tensor.type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return Int32Array.from(new BigInt64Array(buffer), Number);
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    default:
      throw constantError(tensor, `is of type ${tensor.type}, which is not known for constants`);
  }
}

/** The constant's real values. */
export function dequantized(tensor: TfliteTensor): Float32Array {
  const elements = elementsOf(tensor);
  if (!tensor.quantization || elements instanceof Float32Array) return Float32Array.from(elements);
  const { scales, zeroPoints, axis } = tensor.quantization;
  const inner = scales.length === 1 ? elements.length : elementCount(tensor.shape.slice(axis + 1));
  return Float32Array.from(elements, (element, index) => {
    const channel = Math.floor(index / inner) % scales.length;
    return (element - (zeroPoints[channel] ?? 0)) * (scales[channel] ?? 1);
  });
}

/** Reorders the dimensions of a row-major array: dimension `i` of the outcome is dimension `order[i]` of the input. */
export function permuted<T extends ConstantElements>(
  elements: T,
  shape: readonly number[],
  order: readonly number[],
): T {
  const outShape = permutedShape(shape, order);
  const strides = order.map((dimension) => elementCount(shape.slice(dimension + 1)));
  const result = elements.slice() as T;
  const index = order.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = elements[from] ?? 0;
    for (let d = order.length - 1; d >= 0; d--) {
      const stride = strides[d] ?? 0;
      from += stride;
      index[d] = (index[d] ?? 0) + 1;
      if ((index[d] ?? 0) < (outShape[d] ?? 0)) break;
      from -= stride * (index[d] ?? 0);
      index[d] = 0;
    }
  }
  return result;
}

export function permutedShape(shape: readonly number[], order: readonly number[]): number[] {
  return order.map((dimension) => shape[dimension] ?? 1);
}

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function constantError(tensor: TfliteTensor, what: string): ShoalError {
  return new ShoalError('model.import', `tensor ${tensor.name} ${what}`, { tensor: tensor.name });
}
