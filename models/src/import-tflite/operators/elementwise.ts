import type { ImportContext } from '../import-context.ts';
import type { TfliteOperator } from '../tflite-model.ts';
import { clamp, fusedActivation } from './fused-activation.ts';

/** ADD, MUL ...: two operands that broadcast; the options' field 0 is the fused activation. */
export function binary(onnxName: string) {
  return (operator: TfliteOperator, context: ImportContext): void => {
    const { inputs, outputs, options } = operator;
    const order = context.cheapestOrder(inputs, outputs[0]);
    const value = context.graph.node(onnxName, [context.float(inputs[0], order), context.float(inputs[1], order)]);
    context.define(outputs[0], fusedActivation(context, operator, value, options.i8(0)), order);
  };
}

/** MAXIMUM, MINIMUM: as above, without a fused activation. */
export function extremum(onnxName: string) {
  return ({ inputs, outputs }: TfliteOperator, context: ImportContext): void => {
    const order = context.cheapestOrder(inputs, outputs[0]);
    context.define(
      outputs[0],
      context.graph.node(onnxName, [context.float(inputs[0], order), context.float(inputs[1], order)]),
      order,
    );
  };
}

/** LOGISTIC, TANH ...: one operand, element by element. */
export function unary(onnxName: string) {
  return ({ inputs, outputs }: TfliteOperator, context: ImportContext): void => {
    const order = context.cheapestOrder(inputs, outputs[0]);
    context.define(outputs[0], context.graph.node(onnxName, [context.float(inputs[0], order)]), order);
  };
}

/** RELU, RELU6, RELU_N1_TO_1 as operators of their own. */
export function clampTo(low: number, high: number) {
  return ({ inputs, outputs }: TfliteOperator, context: ImportContext): void => {
    const order = context.cheapestOrder(inputs, outputs[0]);
    context.define(outputs[0], clamp(context, context.float(inputs[0], order), [low, high]), order);
  };
}

/** PRELU: a slope for each channel, [1,1,channels]. */
export function prelu(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs } = operator;
  if (!context.constantAt(inputs[1])) throw context.fail(operator, 'needs constant slopes');
  const order = context.cheapestOrder(inputs.slice(0, 1), outputs[0]);
  context.define(
    outputs[0],
    context.graph.node('PRelu', [context.float(inputs[0], order), context.float(inputs[1], order)]),
    order,
  );
}

/** SOFTMAX over the last dimension; the options' field 0 is beta. */
export function softmax(operator: TfliteOperator, context: ImportContext): void {
  if (operator.options.f32(0, 1) !== 1) throw context.fail(operator, 'has a beta that is not 1');
  context.define(
    operator.outputs[0],
    context.graph.node('Softmax', [context.float(operator.inputs[0], 'last')], { axis: -1 }),
    'last',
  );
}
