import type { ChannelOrder, ImportContext } from '../import-context.ts';
import { sameQuantization } from '../import-context.ts';
import type { TfliteOperator } from '../tflite-model.ts';

/** Where channel-last dimensions lie when channels come first. */
const axisWhenFirst = [0, 2, 3, 1];

/** RESHAPE, SQUEEZE: the file states the outcome's shape. */
export function reshape({ inputs, outputs }: TfliteOperator, context: ImportContext): void {
  const shape = context.graph.integers(`shape_${outputs[0]}`, context.tensor(outputs[0]).shape);
  context.move(inputs.slice(0, 1), outputs[0], 'last', ([name = '']) => context.graph.node('Reshape', [name, shape]));
}

/** TRANSPOSE by a constant order of dimensions. */
export function transpose({ inputs, outputs }: TfliteOperator, context: ImportContext): void {
  const perm = context.integers(inputs[1]);
  context.move(inputs.slice(0, 1), outputs[0], 'last', (names) => context.graph.node('Transpose', names, { perm }));
}

/** CONCATENATION: axis 0, fused 1. */
export function concatenation(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs, options } = operator;
  if (options.i8(1) !== 0) throw context.fail(operator, 'has a fused activation, which is not known here');
  const order = context.cheapestOrder(inputs, outputs[0]);
  const rank = context.tensor(outputs[0]).shape.length;
  const axis = options.i32(0) < 0 ? options.i32(0) + rank : options.i32(0);
  const attributes = { axis: order === 'first' ? (axisWhenFirst[axis] ?? axis) : axis };
  context.move(inputs, outputs[0], order, (names) => context.graph.node('Concat', names, attributes));
}

/** RESIZE_NEAREST_NEIGHBOR: align_corners 0, half_pixel_centers 1. Picks pixels, so it works on bytes as they are. */
export function resizeNearest(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs, options } = operator;
  const centres = options.i8(1) !== 0;
  const attributes = {
    mode: 'nearest',
    coordinate_transformation_mode: coordinates(options.i8(0) !== 0, centres),
    nearest_mode: centres ? 'round_prefer_ceil' : 'floor',
  };
  const sizes = resizedShape(operator, context);
  context.move(inputs.slice(0, 1), outputs[0], 'first', ([name = '']) =>
    context.graph.node('Resize', [name, '', '', sizes], attributes),
  );
}

/** RESIZE_BILINEAR: align_corners 2, half_pixel_centers 3 (the two fields before them are unused). */
export function resizeBilinear(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs, options } = operator;
  const attributes = {
    mode: 'linear',
    coordinate_transformation_mode: coordinates(options.i8(2) !== 0, options.i8(3) !== 0),
  };
  const operands = [context.float(inputs[0], 'first'), '', '', resizedShape(operator, context)];
  context.define(outputs[0], context.graph.node('Resize', operands, attributes), 'first');
}

function coordinates(alignCorners: boolean, halfPixelCentres: boolean): string {
  if (alignCorners) return 'align_corners';
  return halfPixelCentres ? 'half_pixel' : 'asymmetric';
}

function resizedShape({ inputs, outputs }: TfliteOperator, context: ImportContext): string {
  const [batch = 1, , , channels = 1] = context.tensor(inputs[0]).shape;
  const [height = 1, width = 1] = context.integers(inputs[1]);
  return context.graph.integers(`size_${outputs[0]}`, [batch, channels, height, width]);
}

/** PAD with zeros, PADV2 with a constant: [rank,2] counts before and after each dimension. */
export function pad(operator: TfliteOperator, context: ImportContext): void {
  const { inputs, outputs } = operator;
  const counts = context.integers(inputs[1]);
  const order = context.cheapestOrder(inputs.slice(0, 1), outputs[0]);
  const dimensions =
    order === 'first' ? [0, 3, 1, 2] : context.tensor(outputs[0]).shape.map((_, dimension) => dimension);
  const pads = [0, 1].flatMap((end) => dimensions.map((dimension) => counts[2 * dimension + end] ?? 0));
  const fill =
    operator.name === 'PADV2'
      ? context.float(inputs[2], 'last')
      : context.graph.constant('bound_0', [], Float32Array.of(0));
  const operands = [context.float(inputs[0], order), context.graph.integers(`pads_${outputs[0]}`, pads), fill];
  context.define(outputs[0], context.graph.node('Pad', operands), order);
}

/** QUANTIZE: nothing to do where the bytes stay what they are (int8 to uint8 with the zero point 128 higher). */
export function quantize({ inputs, outputs }: TfliteOperator, context: ImportContext): void {
  const keeps =
    context.precision === 'float32' ||
    sameQuantization(context.quantizationOf(inputs[0]), context.quantizationOf(outputs[0]));
  if (keeps || context.constantAt(inputs[0])) context.alias(outputs[0], inputs[0]);
  else {
    const order: ChannelOrder = context.cheapestOrder(inputs, outputs[0]);
    context.define(outputs[0], context.float(inputs[0], order), order);
  }
}

/** DEQUANTIZE: the value is at hand in both forms already. */
export function dequantize({ inputs, outputs }: TfliteOperator, context: ImportContext): void {
  context.alias(outputs[0], inputs[0]);
}
