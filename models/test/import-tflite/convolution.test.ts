import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { operatorsOf, runOnnx } from './run-onnx.ts';
import { type ModelSpec, type TensorSpec, writeTflite } from './tflite-writer.ts';

interface Case {
  readonly depthwise: boolean;
  readonly height: number;
  readonly width: number;
  readonly kernel: number;
  readonly stride: number;
  readonly same: boolean;
  /** 0 none, 1 ReLU, 3 ReLU6 */
  readonly fused: number;
}

const channels = 3;
const outputs = (test: Case) => (test.depthwise ? channels : 4);

const cases: readonly Case[] = [
  { depthwise: false, height: 5, width: 6, kernel: 3, stride: 2, same: true, fused: 0 },
  { depthwise: false, height: 6, width: 5, kernel: 3, stride: 2, same: true, fused: 3 },
  { depthwise: false, height: 4, width: 4, kernel: 1, stride: 1, same: false, fused: 1 },
  { depthwise: false, height: 7, width: 7, kernel: 3, stride: 1, same: false, fused: 0 },
  { depthwise: true, height: 6, width: 6, kernel: 3, stride: 2, same: true, fused: 3 },
  { depthwise: true, height: 8, width: 5, kernel: 5, stride: 1, same: true, fused: 0 },
];

const inputScale = 0.05;
const inputZero = -7;
const outputScale = 0.1;
const outputZero = -20;

describe('an imported convolution', () => {
  it.each(cases)('gives what TFLite computes, as int8 within one step: %o', async (test) => {
    const data = aConvolution(test);
    const expected = reference(test, data);
    const bytes = data.input.map((value) => value + 128);
    const quantized = await runOnnx(importTflite(writeTflite(data.model), 'int8').onnx, bytes);
    const clamped = expected.map((value) => Math.min(255, Math.max(0, value / outputScale + outputZero + 128)));
    expect(quantized['scores']).toHaveLength(expected.length);
    for (const [i, value] of clamped.entries())
      expect(Math.abs((quantized['scores']?.[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(1);
  });

  it.each(cases)('gives what TFLite computes, as float32: %o', async (test) => {
    const data = aConvolution(test);
    const expected = reference(test, data);
    const floats = await runOnnx(
      importTflite(writeTflite(data.model), 'float32').onnx,
      data.input.map((value) => value + 128),
    );
    for (const [i, value] of expected.entries()) expect(floats['scores']?.[i]).toBeCloseTo(value, 4);
  });

  it('drops a ReLU6 that the range of the bytes clamps already, and keeps one that it does not', () => {
    const imported = (scale: number, zeroPoint: number) => {
      const { model } = aConvolution({ ...(cases[1] as Case), fused: 3 }, scale, zeroPoint);
      return operatorsOf(importTflite(writeTflite(model), 'int8').onnx);
    };
    expect(imported(6 / 255, -128)).not.toContain('Clip');
    expect(imported(12 / 255, -128)).toContain('Clip');
    expect(imported(6 / 255, 0)).toContain('Clip');
  });
});

function aConvolution(test: Case, scale = outputScale, zeroPoint = outputZero) {
  const random = seededRandom(test.height * 100 + test.width * 10 + test.kernel);
  const whole = (low: number, high: number) => low + Math.floor(random.next() * (high - low + 1));
  const { height, width, kernel } = test;
  const count = outputs(test);
  const input = Array.from({ length: height * width * channels }, () => whole(-128, 127));
  // Small enough that no CPU saturates in 16 bits (unsigned times signed bytes without VNNI).
  const weights = Int8Array.from({ length: kernel * kernel * (test.depthwise ? channels : channels * count) }, () =>
    whole(-63, 63),
  );
  const weightScales = Array.from({ length: count }, (_, channel) => 0.002 * (channel + 1));
  const bias = Int32Array.from({ length: count }, () => whole(-3_000, 3_000));
  const outputShape = [1, ...[height, width].map((size) => outputSize(size, test)), count];
  const tensors: TensorSpec[] = [
    { name: 'x', type: 'int8', shape: [1, height, width, channels], scales: [inputScale], zeroPoints: [inputZero] },
    {
      name: 'weights',
      type: 'int8',
      shape: test.depthwise ? [1, kernel, kernel, channels] : [count, kernel, kernel, channels],
      scales: weightScales,
      axis: test.depthwise ? 3 : 0,
      data: weights,
    },
    {
      name: 'bias',
      type: 'int32',
      shape: [count],
      scales: weightScales.map((weightScale) => Math.fround(weightScale * inputScale)),
      data: bias,
    },
    { name: 'y', type: 'int8', shape: outputShape, scales: [scale], zeroPoints: [zeroPoint] },
  ];
  const fusedField = test.depthwise ? 4 : 3;
  const options = {
    0: { i8: test.same ? 0 : 1 },
    1: { i32: test.stride },
    2: { i32: test.stride },
    [fusedField]: { i8: test.fused },
  };
  const operators = [{ code: test.depthwise ? 4 : 3, inputs: ['x', 'weights', 'bias'], outputs: ['y'], options }];
  const model: ModelSpec = { tensors, operators, inputs: ['x'], outputs: ['y'] };
  return { model, input, weights, weightScales, bias, outputShape };
}

function outputSize(size: number, { same, stride, kernel }: Case): number {
  return same ? Math.ceil(size / stride) : Math.ceil((size - kernel + 1) / stride);
}

/** The definition of the operator, in TFLite's own layout: NHWC input, OHWI or 1HWO weights, SAME puts the odd pixel last. */
function reference(test: Case, data: ReturnType<typeof aConvolution>): number[] {
  const { height, width, kernel, stride } = test;
  const [, rows = 0, columns = 0, count = 0] = data.outputShape;
  const before = (size: number, out: number) =>
    test.same ? Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2) : 0;
  const result: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let out = 0; out < count; out++) {
        const weightScale = data.weightScales[out] ?? 0;
        let sum = (data.bias[out] ?? 0) * weightScale * inputScale;
        for (let ky = 0; ky < kernel; ky++) {
          for (let kx = 0; kx < kernel; kx++) {
            const y = row * stride + ky - before(height, rows);
            const x = column * stride + kx - before(width, columns);
            if (y < 0 || x < 0 || y >= height || x >= width) continue;
            for (let channel = test.depthwise ? out : 0; channel < (test.depthwise ? out + 1 : channels); channel++) {
              const value = ((data.input[(y * width + x) * channels + channel] ?? 0) - inputZero) * inputScale;
              const at = test.depthwise
                ? (ky * kernel + kx) * channels + channel
                : ((out * kernel + ky) * kernel + kx) * channels + channel;
              sum += value * (data.weights[at] ?? 0) * weightScale;
            }
          }
        }
        if (test.fused !== 0) sum = Math.max(0, sum);
        result.push(test.fused === 3 ? Math.min(6, sum) : sum);
      }
    }
  }
  return result;
}
