/** An ONNX model as plain data, as far as Shoal reads and writes it: one graph of tensors, default and custom operator sets. */
export interface OnnxModel {
  readonly producer: string;
  /** Operator set version by domain; the default domain is `''`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Free key/value pairs of the file (`metadata_props`). */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  /** Names of values; `''` for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A plain number is an INT and a plain list INTS: what is a float in ONNX has to say so. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxTensor };

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxElementType;
  readonly dims: readonly number[];
  /** Elements in row-major order, little-endian. */
  readonly data: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxElementType;
  /** A name stands for a dimension that is not fixed. */
  readonly dims: readonly (number | string)[];
}

/** Element types and their numbers in `TensorProto.DataType`. */
export const onnxElementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

export type OnnxElementType = keyof typeof onnxElementTypes;
