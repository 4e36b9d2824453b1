import type { TensorRef } from '../manifest/index.ts';

export type Quantization = NonNullable<TensorRef['quantization']>;

/** What a graph output holds: bytes with their quantization, or plain floats. */
export type OutputTensor = Uint8Array | Float32Array;

/** The real value of each of the 256 bytes, float32[256], through `map`. */
export function byteTable(quantization: Quantization, map: (value: number) => number = (value) => value): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => map((byte - quantization.zeroPoint) * quantization.scale));
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** The logit whose sigmoid is `probability`; infinite at 0 and 1. */
export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}
