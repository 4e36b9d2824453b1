import type { ImportContext } from '../import-context.ts';
import type { TfliteOperator } from '../tflite-model.ts';
import { padding } from './convolution.ts';
import { fusedActivation } from './fused-activation.ts';

/** Pool2DOptions: padding 0, stride_w 1, stride_h 2, filter_width 3, filter_height 4, fused 5. */
function window(context: ImportContext, operator: TfliteOperator) {
  const { options } = operator;
  return {
    kernel_shape: [options.i32(4, 1), options.i32(3, 1)],
    strides: [options.i32(2, 1), options.i32(1, 1)],
    auto_pad: padding(context, operator),
  };
}

/** MAX_POOL_2D picks elements, so it works on bytes as they are. */
export function maxPool(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs, options } = operator;
  const attributes = window(context, operator);
  const fused = options.i8(5);
  if (fused === 0)
    context.move(inputs, outputs[0], 'first', (names) => context.graph.node('MaxPool', names, attributes));
  else {
    const value = context.graph.node('MaxPool', [context.float(inputs[0], 'first')], attributes);
    context.define(outputs[0], fusedActivation(context, operator, value, fused), 'first');
  }
}

/** AVERAGE_POOL_2D does not count the padding, which is ONNX's default too. */
export function averagePool(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs, options } = operator;
  const value = context.graph.node('AveragePool', [context.float(inputs[0], 'first')], window(context, operator));
  context.define(outputs[0], fusedActivation(context, operator, value, options.i8(5)), 'first');
}

/** MEAN over constant axes; the options' field 0 says whether the reduced dimensions stay as ones. */
export function mean({ inputs, outputs, options }: TfliteOperator, context: ImportContext): void {
  const rank = context.tensor(inputs[0]).shape.length;
  const axes = context.integers(inputs[1]).map((axis) => (axis < 0 ? axis + rank : axis));
  const value = context.graph.node('ReduceMean', [context.float(inputs[0], 'last')], { axes, keepdims: options.i8(0) });
  context.define(outputs[0], value, 'last');
}
