import { describe, expect, it } from 'vitest';
import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { operatorConverters } from '../../src/import-tflite/operators/index.ts';
import { operatorsOf, runOnnx } from './run-onnx.ts';
import { type Fields, type TensorSpec, writeTflite } from './tflite-writer.ts';

const codes: Readonly<Record<string, number>> = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU_N1_TO_1: 20,
  RELU6: 21,
  RESHAPE: 22,
  RESIZE_BILINEAR: 23,
  SOFTMAX: 25,
  TANH: 28,
  PAD: 34,
  TRANSPOSE: 39,
  MEAN: 40,
  SUB: 41,
  DIV: 42,
  SQUEEZE: 43,
  EXP: 47,
  PRELU: 54,
  MAXIMUM: 55,
  MINIMUM: 57,
  PADV2: 60,
  RESIZE_NEAREST_NEIGHBOR: 97,
  QUANTIZE: 114,
  HARD_SWISH: 117,
};

interface OperatorCase {
  readonly operator: string;
  readonly shape: readonly number[];
  readonly input: readonly number[];
  readonly constants?: readonly TensorSpec[];
  readonly options?: Fields;
  readonly outputShape: readonly number[];
  readonly expected: readonly number[];
}

const ints = (name: string, ...values: number[]): TensorSpec => ({
  name,
  type: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
});
const floats = (name: string, shape: number[], ...values: number[]): TensorSpec => ({
  name,
  type: 'float32',
  shape,
  data: Float32Array.from(values),
});

/** A picture of 2 x 2 pixels and 2 channels; values in TFLite's order. */
const picture = { shape: [1, 2, 2, 2], input: [1, -2, 3, -4, 5, -6, 7, 8] };
const same = { outputShape: picture.shape };
const pool: Fields = { 0: { i8: 1 }, 1: { i32: 1 }, 2: { i32: 1 }, 3: { i32: 2 }, 4: { i32: 1 } };

const cases: readonly OperatorCase[] = [
  {
    operator: 'ADD',
    ...picture,
    ...same,
    constants: [floats('c', [2], 10, 20)],
    expected: [11, 18, 13, 16, 15, 14, 17, 28],
  },
  {
    operator: 'ADD',
    ...picture,
    ...same,
    constants: [floats('c', [2], 0, 0)],
    options: { 0: { i8: 3 } },
    expected: [1, 0, 3, 0, 5, 0, 6, 6],
  },
  {
    operator: 'SUB',
    ...picture,
    ...same,
    constants: [floats('c', [1, 1, 1, 2], 1, 2)],
    expected: [0, -4, 2, -6, 4, -8, 6, 6],
  },
  { operator: 'MUL', ...picture, ...same, constants: [floats('c', [], 2)], expected: [2, -4, 6, -8, 10, -12, 14, 16] },
  {
    operator: 'DIV',
    ...picture,
    ...same,
    constants: [floats('c', [2], 2, -2)],
    expected: [0.5, 1, 1.5, 2, 2.5, 3, 3.5, -4],
  },
  { operator: 'MAXIMUM', ...picture, ...same, constants: [floats('c', [1], 2)], expected: [2, 2, 3, 2, 5, 2, 7, 8] },
  { operator: 'MINIMUM', ...picture, ...same, constants: [floats('c', [1], 2)], expected: [1, -2, 2, -4, 2, -6, 2, 2] },
  { operator: 'RELU', ...picture, ...same, expected: [1, 0, 3, 0, 5, 0, 7, 8] },
  { operator: 'RELU6', ...picture, ...same, expected: [1, 0, 3, 0, 5, 0, 6, 6] },
  { operator: 'RELU_N1_TO_1', ...picture, ...same, expected: [1, -1, 1, -1, 1, -1, 1, 1] },
  {
    operator: 'PRELU',
    ...picture,
    ...same,
    constants: [floats('slope', [1, 1, 2], 0, 0.5)],
    expected: [1, -1, 3, -2, 5, -3, 7, 8],
  },
  {
    operator: 'LOGISTIC',
    shape: [1, 3],
    input: [0, Math.log(3), -Math.log(3)],
    outputShape: [1, 3],
    expected: [0.5, 0.75, 0.25],
  },
  { operator: 'TANH', shape: [1, 2], input: [0, 100], outputShape: [1, 2], expected: [0, 1] },
  { operator: 'EXP', shape: [1, 2], input: [0, 1], outputShape: [1, 2], expected: [1, Math.E] },
  { operator: 'HARD_SWISH', shape: [1, 3], input: [-4, 1, 4], outputShape: [1, 3], expected: [0, 2 / 3, 4] },
  {
    operator: 'SOFTMAX',
    shape: [1, 2],
    input: [0, Math.log(3)],
    options: { 0: { f32: 1 } },
    outputShape: [1, 2],
    expected: [0.25, 0.75],
  },
  { operator: 'MAX_POOL_2D', ...picture, options: pool, outputShape: [1, 2, 1, 2], expected: [3, -2, 7, 8] },
  { operator: 'AVERAGE_POOL_2D', ...picture, options: pool, outputShape: [1, 2, 1, 2], expected: [2, -3, 6, 1] },
  // With SAME the window reaches over the edge, and what lies there is not counted.
  {
    operator: 'AVERAGE_POOL_2D',
    ...picture,
    ...same,
    options: { ...pool, 0: { i8: 0 } },
    expected: [2, -3, 3, -4, 6, 1, 7, 8],
  },
  { operator: 'MEAN', ...picture, constants: [ints('axes', 1, 2)], outputShape: [1, 2], expected: [4, -1] },
  {
    operator: 'MEAN',
    ...picture,
    constants: [ints('axes', -1)],
    options: { 0: { i8: 1 } },
    outputShape: [1, 2, 2, 1],
    expected: [-0.5, -0.5, -0.5, 7.5],
  },
  { operator: 'RESHAPE', ...picture, outputShape: [1, 8], expected: picture.input },
  { operator: 'SQUEEZE', shape: [1, 1, 1, 2], input: [1, 2], outputShape: [1, 2], expected: [1, 2] },
  {
    operator: 'TRANSPOSE',
    shape: [2, 3],
    input: [1, 2, 3, 4, 5, 6],
    constants: [ints('order', 1, 0)],
    outputShape: [3, 2],
    expected: [1, 4, 2, 5, 3, 6],
  },
  {
    operator: 'PAD',
    shape: [1, 2],
    input: [1, 2],
    constants: [ints('counts', 0, 0, 1, 2)],
    outputShape: [1, 5],
    expected: [0, 1, 2, 0, 0],
  },
  {
    operator: 'PADV2',
    shape: [1, 1],
    input: [1],
    constants: [ints('counts', 0, 0, 1, 0), floats('fill', [], 9)],
    outputShape: [1, 2],
    expected: [9, 1],
  },
  {
    operator: 'RESIZE_NEAREST_NEIGHBOR',
    shape: [1, 1, 2, 1],
    input: [1, 2],
    constants: [ints('size', 1, 3)],
    outputShape: [1, 1, 3, 1],
    // Asymmetric and rounded down: column i comes from floor(i * 2 / 3).
    expected: [1, 1, 2],
  },
  {
    operator: 'RESIZE_BILINEAR',
    shape: [1, 1, 2, 1],
    input: [1, 3],
    constants: [ints('size', 1, 4)],
    options: { 3: { i8: 1 } },
    outputShape: [1, 1, 4, 1],
    expected: [1, 1.5, 2.5, 3],
  },
  {
    operator: 'FULLY_CONNECTED',
    shape: [1, 2],
    input: [1, 2],
    constants: [floats('weights', [3, 2], 1, 0, 0, 1, 1, 1), floats('bias', [3], 10, 20, -30)],
    options: { 0: { i8: 1 } },
    outputShape: [1, 3],
    expected: [11, 22, 0],
  },
];

describe('an imported operator gives what TFLite computes', () => {
  it.each(cases)('$operator of $shape', async (test) => {
    const { onnx } = importTflite(writeTflite(modelOf(test)), 'float32');
    const { scores = [] } = await runOnnx(onnx, test.input);
    expect(scores).toHaveLength(test.expected.length);
    for (const [i, value] of test.expected.entries()) expect(scores[i]).toBeCloseTo(value, 5);
  });

  it('joins pictures along their channels', async () => {
    const tensors: TensorSpec[] = [
      { name: 'x', type: 'float32', shape: picture.shape },
      { name: 'pooled', type: 'float32', shape: picture.shape },
      { name: 'y', type: 'float32', shape: [1, 2, 2, 4] },
    ];
    const operators = [
      { code: 17, inputs: ['x'], outputs: ['pooled'], options: { ...pool, 0: { i8: 0 } } },
      { code: 2, inputs: ['x', 'pooled'], outputs: ['y'], options: { 0: { i32: -1 } } },
    ];
    const { onnx } = importTflite(writeTflite({ tensors, operators, inputs: ['x'], outputs: ['y'] }), 'float32');
    const { scores } = await runOnnx(onnx, picture.input);
    expect(scores).toEqual([1, -2, 3, -2, 3, -4, 3, -4, 5, -6, 7, 8, 7, 8, 7, 8]);
  });

  it('uses one constant in two channel orders', async () => {
    const tensors: TensorSpec[] = [
      { name: 'x', type: 'float32', shape: picture.shape },
      { name: 'c', type: 'float32', shape: [1, 1, 1, 2], data: Float32Array.of(10, 20) },
      { name: 'pooled', type: 'float32', shape: picture.shape },
      { name: 'first', type: 'float32', shape: picture.shape },
      { name: 'second', type: 'float32', shape: picture.shape },
      { name: 'y', type: 'float32', shape: picture.shape },
    ];
    const operators = [
      { code: 17, inputs: ['x'], outputs: ['pooled'], options: { ...pool, 3: { i32: 1 } } },
      { code: 0, inputs: ['pooled', 'c'], outputs: ['first'] },
      { code: 22, inputs: ['first'], outputs: ['second'] },
      { code: 0, inputs: ['second', 'c'], outputs: ['y'] },
    ];
    const { onnx } = importTflite(writeTflite({ tensors, operators, inputs: ['x'], outputs: ['y'] }), 'float32');
    const { scores } = await runOnnx(onnx, picture.input);
    expect(scores).toEqual(picture.input.map((value, i) => value + (i % 2 === 0 ? 20 : 40)));
  });

  it('has a test for every operator in the table', () => {
    const tested = new Set([
      ...cases.map((test) => test.operator),
      'CONCATENATION',
      'CONV_2D',
      'DEPTHWISE_CONV_2D',
      'QUANTIZE',
      'DEQUANTIZE',
    ]);
    expect([...operatorConverters.keys()].filter((name) => !tested.has(name))).toEqual([]);
  });
});

describe('operators that only move bytes', () => {
  const quantized = (name: string, shape: readonly number[], scale: number): TensorSpec => ({
    name,
    type: 'int8',
    shape,
    scales: [scale],
    zeroPoints: [3],
  });

  it('work on the bytes themselves when the quantization stays the same', async () => {
    const tensors = [quantized('x', picture.shape, 0.5), quantized('y', [1, 2, 1, 2], 0.5)];
    const { onnx } = importTflite(
      writeTflite({
        tensors,
        operators: [{ code: 17, inputs: ['x'], outputs: ['y'], options: pool }],
        inputs: ['x'],
        outputs: ['y'],
      }),
      'int8',
    );
    expect(operatorsOf(onnx)).toEqual(['Transpose', 'MaxPool', 'Transpose', 'Identity']);
    expect((await runOnnx(onnx, [1, 9, 2, 8, 3, 7, 4, 6]))['scores']).toEqual([2, 9, 4, 7]);
  });

  it('requantize when it does not', async () => {
    const tensors = [quantized('x', [1, 4], 0.5), quantized('y', [2, 2], 0.25)];
    const { onnx } = importTflite(
      writeTflite({ tensors, operators: [{ code: 22, inputs: ['x'], outputs: ['y'] }], inputs: ['x'], outputs: ['y'] }),
      'int8',
    );
    // (131 is the zero point, of 3 in signed bytes) twice the steps away from it
    expect((await runOnnx(onnx, [131, 132, 130, 141]))['scores']).toEqual([131, 133, 129, 151]);
  });

  it('take QUANTIZE from uint8 to int8 as nothing at all', async () => {
    const tensors: TensorSpec[] = [
      { name: 'x', type: 'uint8', shape: [1, 4], scales: [0.5], zeroPoints: [131] },
      quantized('y', [1, 4], 0.5),
    ];
    const { onnx, outputs } = importTflite(
      writeTflite({
        tensors,
        operators: [{ code: 114, inputs: ['x'], outputs: ['y'] }],
        inputs: ['x'],
        outputs: ['y'],
      }),
      'int8',
    );
    expect(operatorsOf(onnx)).toEqual(['Identity']);
    expect(outputs).toEqual([{ name: 'scores', shape: [1, 4], quantization: { scale: 0.5, zeroPoint: 131 } }]);
  });

  it('dequantize an input that stays bytes, for a graph of floats', async () => {
    const tensors: TensorSpec[] = [quantized('x', [1, 2], 0.5), { name: 'y', type: 'float32', shape: [1, 2] }];
    const { onnx } = importTflite(
      writeTflite({ tensors, operators: [{ code: 6, inputs: ['x'], outputs: ['y'] }], inputs: ['x'], outputs: ['y'] }),
      'float32',
    );
    expect((await runOnnx(onnx, [131, 141]))['scores']).toEqual([0, 5]);
  });

  it('turn constants of half floats into floats', async () => {
    const half: TensorSpec = {
      name: 'half',
      type: 'float16',
      shape: [3],
      data: new Uint8Array(Uint16Array.of(0x3c00, 0xc100, 0x0001).buffer),
    };
    const names = ['x', 'full', 'y'].map(
      (name): TensorSpec => ({ name, type: 'float32', shape: name === 'full' ? [3] : [1, 3] }),
    );
    const operators = [
      { code: 6, inputs: ['half'], outputs: ['full'] },
      { code: 0, inputs: ['x', 'full'], outputs: ['y'] },
    ];
    const { onnx } = importTflite(
      writeTflite({ tensors: [half, ...names], operators, inputs: ['x'], outputs: ['y'] }),
      'float32',
    );
    expect((await runOnnx(onnx, [0, 0, 0]))['scores']).toEqual([1, -2.5, 2 ** -24]);
  });
});

function modelOf(test: OperatorCase) {
  const constants = test.constants ?? [];
  const tensors: TensorSpec[] = [
    { name: 'x', type: 'float32', shape: test.shape },
    ...constants,
    { name: 'y', type: 'float32', shape: test.outputShape },
  ];
  const inputs = ['x', ...constants.map(({ name }) => name)];
  const operators = [
    { code: codes[test.operator] ?? -1, inputs, outputs: ['y'], ...(test.options ? { options: test.options } : {}) },
  ];
  return { tensors, operators, inputs: ['x'], outputs: ['y'] };
}
