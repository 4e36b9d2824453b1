export { decodeOnnx, encodeOnnx } from './codec.ts';
export { OnnxGraphBuilder } from './graph-builder.ts';
export type { OnnxModel } from './model.ts';
