import { type TensorSpec, writeTflite } from '../import-tflite/tflite-writer.ts';

/** Every kind of operator once, in a row, with small shapes: a changed file reaches the converter of each. */
const picture = [1, 4, 4, 2];

const activation = (name: string, shape: readonly number[]): TensorSpec => ({
  name,
  type: 'int8',
  shape,
  scales: [0.5],
  zeroPoints: [3],
});
const ints = (name: string, shape: readonly number[], ...values: number[]): TensorSpec => ({
  name,
  type: 'int32',
  shape,
  data: Int32Array.from(values),
});
const weights = (name: string, shape: readonly number[], channels: number, axis: number): TensorSpec => ({
  name,
  type: 'int8',
  shape,
  scales: Array.from({ length: channels }, () => 0.1),
  axis,
  data: Int8Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => (i % 11) - 5),
});
const bias = (name: string, count: number): TensorSpec => ({
  name,
  type: 'int32',
  shape: [count],
  scales: Array.from({ length: count }, () => 0.05),
  data: Int32Array.from({ length: count }, (_, i) => i),
});

/** All that follow one another work on pictures of the same shape, until one makes it another. */
const steps: readonly {
  code: number;
  constants?: readonly TensorSpec[];
  shape?: readonly number[];
  twice?: boolean;
}[] = [
  { code: 3, constants: [weights('conv', [2, 1, 1, 2], 2, 0), bias('conv_bias', 2)] },
  { code: 4, constants: [weights('depth', [1, 3, 3, 2], 2, 3), bias('depth_bias', 2)] },
  { code: 0, twice: true },
  { code: 18, twice: true },
  { code: 55, twice: true },
  { code: 14 },
  { code: 19 },
  { code: 21 },
  { code: 28 },
  { code: 117 },
  { code: 114 },
  { code: 54, constants: [weights('slope', [1, 1, 2], 1, 0)] },
  { code: 17 },
  { code: 1 },
  { code: 34, constants: [ints('pads', [4, 2], 0, 0, 1, 1, 1, 1, 0, 0)], shape: [1, 6, 6, 2] },
  { code: 97, constants: [ints('size', [2], 4, 4)], shape: picture },
  { code: 23, constants: [ints('size2', [2], 4, 4)] },
  { code: 39, constants: [ints('order', [4], 0, 2, 1, 3)] },
  { code: 2, twice: true, shape: [1, 4, 4, 4] },
  { code: 40, constants: [ints('axes', [2], 1, 2)], shape: [1, 4] },
  { code: 9, constants: [weights('dense', [3, 4], 3, 0), bias('dense_bias', 3)], shape: [1, 3] },
  { code: 22, shape: [3, 1] },
  { code: 25 },
];

export function aTfliteSample(): Uint8Array {
  const shapes: (readonly number[])[] = [picture];
  for (const { shape } of steps) shapes.push(shape ?? shapes.at(-1) ?? picture);
  return writeTflite({
    tensors: [
      ...shapes.map((shape, i) => activation(`t${i}`, shape)),
      ...steps.flatMap(({ constants = [] }) => constants),
    ],
    operators: steps.map(({ code, constants = [], twice }, i) => ({
      code,
      inputs: [`t${i}`, ...(twice ? [`t${i}`] : []), ...constants.map(({ name }) => name)],
      outputs: [`t${i + 1}`],
      // Most options are small numbers: strides, axes, paddings.
      options: code === 2 ? { 0: { i32: 3 } } : { 1: { i32: 1 }, 2: { i32: 1 } },
    })),
    inputs: ['t0'],
    outputs: [`t${steps.length}`],
  });
}
