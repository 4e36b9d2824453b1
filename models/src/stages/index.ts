export { generateAnchors } from './anchors.ts';
export { type Fit, fitPicture, type Region } from './fit.ts';
export { createHead, type Head, unpackOutput } from './head.ts';
export { createInputTensor, createInputWriter, type InputTensor, isPlain } from './input-tensor.ts';
export type { FramePlacement, ModelFrame } from './model-frame.ts';
export type { Box, ClassScore, Detection, InferenceParameters, ModelOutput } from './model-output.ts';
export type { OutputTensor } from './quantization.ts';
