import { isShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { decodeOnnx } from '../../src/onnx-format/index.ts';
import { operatorsOf, runOnnx } from './run-onnx.ts';
import { type ModelSpec, type TensorSpec, writeTflite } from './tflite-writer.ts';

const bytes = (name: string, shape: readonly number[], scale: number, zeroPoint: number): TensorSpec => ({
  name,
  type: 'int8',
  shape,
  scales: [scale],
  zeroPoints: [zeroPoint],
});
const floats = (name: string, shape: readonly number[]): TensorSpec => ({ name, type: 'float32', shape });

/** Four pixels of four channels: two are box codes and class scores of two anchors each, then the usual end of a detector. */
function aDetector(): ModelSpec {
  return {
    tensors: [
      { name: 'image', type: 'uint8', shape: [1, 2, 2, 3], scales: [0.5], zeroPoints: [128] },
      bytes('image_int8', [1, 2, 2, 3], 0.5, 0),
      {
        name: 'weights',
        type: 'int8',
        shape: [4, 1, 1, 3],
        scales: [0.1, 0.1, 0.2, 0.2],
        data: Int8Array.from({ length: 12 }, (_, i) => i - 6),
      },
      { name: 'bias', type: 'int32', shape: [4], scales: [0.05, 0.05, 0.1, 0.1], data: Int32Array.of(1, 2, 3, 4) },
      bytes('features', [1, 2, 2, 4], 0.25, 10),
      bytes('boxes_int8', [1, 4, 4], 0.25, 10),
      floats('boxes_float', [1, 4, 4]),
      bytes('classes', [1, 4, 4], 0.25, 10),
      bytes('scores_int8', [1, 4, 4], 1 / 256, -128),
      floats('scores_float', [1, 4, 4]),
      { name: 'anchors', type: 'float32', shape: [4, 4], data: Float32Array.from({ length: 16 }, (_, i) => i / 16) },
      floats('detections', []),
    ],
    operators: [
      { code: 114, inputs: ['image'], outputs: ['image_int8'] },
      {
        code: 3,
        inputs: ['image_int8', 'weights', 'bias'],
        outputs: ['features'],
        options: { 1: { i32: 1 }, 2: { i32: 1 }, 4: { i32: 1 }, 5: { i32: 1 } },
      },
      { code: 22, inputs: ['features'], outputs: ['boxes_int8'] },
      { code: 22, inputs: ['features'], outputs: ['classes'] },
      { code: 14, inputs: ['classes'], outputs: ['scores_int8'] },
      { code: 6, inputs: ['scores_int8'], outputs: ['scores_float'] },
      { code: 6, inputs: ['boxes_int8'], outputs: ['boxes_float'] },
      {
        code: 'TFLite_Detection_PostProcess',
        inputs: ['boxes_float', 'scores_float', 'anchors'],
        outputs: ['detections'],
      },
    ],
    inputs: ['image'],
    outputs: ['detections'],
  };
}

describe('a detector', () => {
  it('is cut before its post-processing: bytes of boxes and logits, and the anchors', async () => {
    const { onnx, outputs, anchors } = importTflite(writeTflite(aDetector()), 'int8');
    const quantization = { scale: 0.25, zeroPoint: 138 };
    expect(outputs).toEqual([
      { name: 'boxes', shape: [1, 4, 4], quantization },
      { name: 'logits', shape: [1, 4, 4], quantization },
    ]);
    expect(Array.from(anchors ?? [])).toEqual(Array.from({ length: 16 }, (_, i) => i / 16));
    const model = decodeOnnx(onnx);
    expect(model.inputs).toEqual([{ name: 'input', type: 'uint8', dims: [1, 2, 2, 3] }]);
    expect(model.metadata).toEqual({
      'boxes.scale': '0.25',
      'boxes.zero_point': '138',
      'logits.scale': '0.25',
      'logits.zero_point': '138',
    });
    expect(Object.keys(await runOnnx(onnx, new Uint8Array(12)))).toEqual(['boxes', 'logits']);
  });

  it('gives the logits as they were before the sigmoid, which is left out as nothing needs it', () => {
    for (const precision of ['int8', 'float32'] as const) {
      expect(operatorsOf(importTflite(writeTflite(aDetector()), precision).onnx)).not.toContain('Sigmoid');
    }
  });

  it('gives floats that are what the bytes stand for', async () => {
    const pixels = Array.from({ length: 12 }, (_, i) => 100 + 5 * i);
    const quantized = await runOnnx(importTflite(writeTflite(aDetector()), 'int8').onnx, pixels);
    const float = await runOnnx(importTflite(writeTflite(aDetector()), 'float32').onnx, pixels);
    expect(new Set(quantized['logits']).size).toBeGreaterThan(3);
    for (const [i, value] of (float['logits'] ?? []).entries()) {
      const fromByte = ((quantized['logits']?.[i] ?? Number.NaN) - 138) * 0.25;
      expect(Math.abs(fromByte - Math.min(29.25, Math.max(-34.5, value)))).toBeLessThanOrEqual(0.126);
    }
  });

  it('is refused when its logits are not to be found', () => {
    const model = aDetector();
    const operators = model.operators.filter(
      (operator) => operator.code !== 14 && operator.outputs[0] !== 'scores_float',
    );
    const swapped = operators.map((operator) =>
      typeof operator.code === 'string' ? { ...operator, inputs: ['boxes_float', 'boxes_float', 'anchors'] } : operator,
    );
    expect(() => importTflite(writeTflite({ ...model, operators: swapped }), 'int8')).toThrow(
      'has scores that do not come from LOGISTIC',
    );
  });
});

describe('a file that cannot be imported', () => {
  const withOperator = (code: number | string): ModelSpec => ({
    tensors: [floats('x', [1, 2]), floats('answer', [1, 2])],
    operators: [{ code, inputs: ['x'], outputs: ['answer'] }],
    inputs: ['x'],
    outputs: ['answer'],
  });

  it.each([
    [16, 'LSTM (tensor answer) is an operator that the importer does not know'],
    [150, 'number 150 (tensor answer) is an operator that the importer does not know'],
    ['MyOwnOperator', 'MyOwnOperator (tensor answer) is an operator that the importer does not know'],
  ])('names the operator %s and its tensor', (code, message) => {
    expect(() => importTflite(writeTflite(withOperator(code)), 'float32')).toThrowError(
      expect.objectContaining({ code: 'model.import', message }),
    );
  });

  it('says when a model of floats is wanted as bytes', () => {
    expect(() => importTflite(writeTflite(withOperator(19)), 'int8')).toThrow(
      'tensor answer is not quantized: import the model as float32',
    );
  });

  it('says when a tensor is produced twice', () => {
    const model = withOperator(19);
    const twice = { ...model, operators: [...model.operators, ...model.operators] };
    expect(() => importTflite(writeTflite(twice), 'float32')).toThrow(
      'tensor answer of the TFLite file is produced twice',
    );
  });

  it('says when a size is not a whole number', () => {
    const size: TensorSpec = { name: 'size', type: 'float32', shape: [2], data: Float32Array.of(1.5, 2) };
    const model: ModelSpec = {
      tensors: [floats('x', [1, 2, 2, 1]), size, floats('answer', [1, 2, 2, 1])],
      operators: [{ code: 97, inputs: ['x', 'size'], outputs: ['answer'] }],
      inputs: ['x'],
      outputs: ['answer'],
    };
    expect(() => importTflite(writeTflite(model), 'float32')).toThrowError(
      expect.objectContaining({ code: 'model.import', message: 'tensor size must hold whole numbers' }),
    );
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a few bytes', Uint8Array.of(1, 2, 3)],
    ['another kind of file', new TextEncoder().encode('{"json": true, "tflite": false}')],
  ])('says that %s is not a TFLite model', (_, file) => {
    expect(() => importTflite(file, 'int8')).toThrow('the file is not a TFLite model');
  });

  it('says where a file was cut short', () => {
    const file = writeTflite(aDetector());
    for (let length = 8; length < file.length * 0.9; length += 7) {
      expect(() => importTflite(file.subarray(0, length), 'int8')).toThrowError(
        expect.objectContaining({ code: 'model.import' }),
      );
    }
  });

  it('neither crashes nor hangs, whatever bytes are changed', () => {
    const file = writeTflite(aDetector());
    const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
    let refused = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const changed = file.slice();
        for (const [at, value] of changes) changed[at] = value;
        refused += isRefused(changed) ? 1 : 0;
      }),
      { numRuns: 20_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
  });

  it('neither crashes nor hangs on random bytes behind the right identifier', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 400 }), (tail) => {
        const offset = (tail[0] ?? 0) % 64;
        expect(isRefused(Uint8Array.of(offset, 0, 0, 0, ...new TextEncoder().encode('TFL3'), ...tail))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
});

/** Whether the file is refused as it must be; anything else that is thrown fails the test. */
function isRefused(file: Uint8Array): boolean {
  try {
    importTflite(file, 'int8');
    return false;
  } catch (error) {
    if (isShoalError(error, 'model.import')) return true;
    throw error;
  }
}
