import type { ImportContext } from '../import-context.ts';
import type { TfliteOperator } from '../tflite-model.ts';
import {
  concatenation,
  dequantize,
  pad,
  quantize,
  reshape,
  resizeBilinear,
  resizeNearest,
  transpose,
} from './arrangement.ts';
import { convolution, depthwiseConvolution, fullyConnected } from './convolution.ts';
import { binary, clampTo, extremum, prelu, softmax, unary } from './elementwise.ts';
import { averagePool, maxPool, mean } from './pooling.ts';

/** Adds the nodes of one operator to the context's graph and defines its outputs there. */
export type OperatorConverter = (operator: TfliteOperator, context: ImportContext) => void;

/** Every operator that can be imported. A new one is one entry. */
export const operatorConverters: ReadonlyMap<string, OperatorConverter> = new Map<string, OperatorConverter>([
  ['ADD', binary('Add')],
  ['AVERAGE_POOL_2D', averagePool],
  ['CONCATENATION', concatenation],
  ['CONV_2D', convolution],
  ['DEPTHWISE_CONV_2D', depthwiseConvolution],
  ['DEQUANTIZE', dequantize],
  ['DIV', binary('Div')],
  ['EXP', unary('Exp')],
  ['FULLY_CONNECTED', fullyConnected],
  ['HARD_SWISH', unary('HardSwish')],
  ['LOGISTIC', unary('Sigmoid')],
  ['MAXIMUM', extremum('Max')],
  ['MAX_POOL_2D', maxPool],
  ['MEAN', mean],
  ['MINIMUM', extremum('Min')],
  ['MUL', binary('Mul')],
  ['PAD', pad],
  ['PADV2', pad],
  ['PRELU', prelu],
  ['QUANTIZE', quantize],
  ['RELU', clampTo(0, Number.POSITIVE_INFINITY)],
  ['RELU6', clampTo(0, 6)],
  ['RELU_N1_TO_1', clampTo(-1, 1)],
  ['RESHAPE', reshape],
  ['RESIZE_BILINEAR', resizeBilinear],
  ['RESIZE_NEAREST_NEIGHBOR', resizeNearest],
  ['SOFTMAX', softmax],
  ['SQUEEZE', reshape],
  ['SUB', binary('Sub')],
  ['TANH', unary('Tanh')],
  ['TRANSPOSE', transpose],
]);
