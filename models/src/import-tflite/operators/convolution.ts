import { dequantized, elementsOf, permuted, permutedShape } from '../constants.ts';
import type { ImportContext } from '../import-context.ts';
import type { TfliteOperator, TfliteTensor } from '../tflite-model.ts';
import { fusedActivation } from './fused-activation.ts';

/** `Padding` of the schema. TFLite's SAME puts the odd pixel at the end, as SAME_UPPER does. */
const paddings = ['SAME_UPPER', 'VALID'];

export function padding(context: ImportContext, operator: TfliteOperator): string {
  const code = operator.options.i8(0);
  const name = paddings[code];
  if (!name) throw context.fail(operator, `has the padding ${code}, which is not known`);
  return name;
}

/** CONV_2D: options padding 0, stride_w 1, stride_h 2, fused 3, dilation_w 4, dilation_h 5. Weights are OHWI. */
export function convolution(operator: TfliteOperator, context: ImportContext): void {
  convolve(operator, context, { weightOrder: [0, 3, 1, 2], groups: 1, fusedField: 3, dilationField: 4 });
}

/** DEPTHWISE_CONV_2D: as above with depth_multiplier 3, fused 4, dilation_w 5, dilation_h 6. Weights are 1HWO. */
export function depthwiseConvolution(operator: TfliteOperator, context: ImportContext): void {
  const groups = context.tensor(operator.inputs[0]).shape[3] ?? 1;
  convolve(operator, context, { weightOrder: [3, 0, 1, 2], groups, fusedField: 4, dilationField: 5 });
}

interface Kind {
  readonly weightOrder: readonly [number, number, number, number];
  readonly groups: number;
  readonly fusedField: number;
  readonly dilationField: number;
}

function convolve(operator: TfliteOperator, context: ImportContext, kind: Kind): void {
  const { options, inputs, outputs } = operator;
  const weights = context.constantAt(inputs[1]);
  if (weights?.shape.length !== 4) throw context.fail(operator, 'needs constant weights of 4 dimensions');
  const bias = context.constantAt(inputs[2]);
  const operands = [context.float(inputs[0], 'first'), weightsValue(context, weights, kind.weightOrder)];
  if (bias) operands.push(biasValue(context, bias));
  const value = context.graph.node('Conv', operands, {
    kernel_shape: weights.shape.slice(1, 3),
    strides: [options.i32(2, 1), options.i32(1, 1)],
    dilations: [options.i32(kind.dilationField + 1, 1), options.i32(kind.dilationField, 1)],
    group: kind.groups,
    auto_pad: padding(context, operator),
  });
  context.define(outputs[0], fusedActivation(context, operator, value, options.i8(kind.fusedField)), 'first');
}

/** FULLY_CONNECTED: fused 0. Weights are [outputs,inputs], which is Gemm's transposed B. */
export function fullyConnected(operator: TfliteOperator, context: ImportContext): void {
  const { options, inputs, outputs } = operator;
  const weights = context.constantAt(inputs[1]);
  if (weights?.shape.length !== 2) throw context.fail(operator, 'needs constant weights of 2 dimensions');
  const bias = context.constantAt(inputs[2]);
  const rows = context.graph.integers(`rows_${weights.index}`, [-1, weights.shape[1] ?? 0]);
  const input = context.graph.node('Reshape', [context.float(inputs[0], 'last'), rows]);
  const operands = [input, weightsValue(context, weights, [0, 1])];
  if (bias) operands.push(biasValue(context, bias));
  const value = context.graph.node('Gemm', operands, { transB: 1 });
  const activated = fusedActivation(context, operator, value, options.i8(0));
  const { shape } = context.tensor(outputs[0]);
  const target = context.graph.integers(`shape_${outputs[0]}`, shape);
  context.define(
    outputs[0],
    shape.length === 2 ? activated : context.graph.node('Reshape', [activated, target]),
    'last',
  );
}

/**
 * Weights as ONNX wants them: quantized ones stay bytes with a scale per output channel, which is axis 0 after the
 * reordering whatever it was before.
 */
function weightsValue(context: ImportContext, weights: TfliteTensor, order: readonly number[]): string {
  const { graph } = context;
  const shape = permutedShape(weights.shape, order);
  // A file may use one constant as two kinds of weights.
  const name = `w${weights.index}_${order.join('')}`;
  const elements = elementsOf(weights);
  const { quantization } = weights;
  const bytes = elements instanceof Int8Array || elements instanceof Uint8Array ? elements : undefined;
  if (context.precision === 'float32' || !quantization || !bytes) {
    return graph.constant(name, shape, permuted(dequantized(weights), weights.shape, order));
  }
  const channels = quantization.scales.length > 1 ? [quantization.scales.length] : [];
  const zeroPoints =
    bytes instanceof Int8Array ? Int8Array.from(quantization.zeroPoints) : Uint8Array.from(quantization.zeroPoints);
  return graph.node(
    'DequantizeLinear',
    [
      graph.constant(name, shape, permuted(bytes, weights.shape, order)),
      graph.constant(`${name}_scale`, channels, Float32Array.from(quantization.scales)),
      graph.constant(`${name}_zero`, channels, zeroPoints),
    ],
    channels.length > 0 ? { axis: 0 } : {},
  );
}

/** An `int32` bias keeps the scales that TFLite computed: scale of the input times scale of the weights. */
function biasValue(context: ImportContext, bias: TfliteTensor): string {
  const { graph } = context;
  const elements = elementsOf(bias);
  const name = `b${bias.index}`;
  if (context.precision === 'float32' || !bias.quantization || !(elements instanceof Int32Array)) {
    return graph.constant(name, bias.shape, dequantized(bias));
  }
  const { scales } = bias.quantization;
  const channels = scales.length > 1 ? [scales.length] : [];
  const operands = [
    graph.constant(name, bias.shape, elements),
    graph.constant(`${name}_scale`, channels, Float32Array.from(scales)),
  ];
  return graph.node('DequantizeLinear', operands, channels.length > 0 ? { axis: 0 } : {});
}
