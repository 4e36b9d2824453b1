import type { ByteQuantization, ImportContext } from '../import-context.ts';
import type { TfliteOperator } from '../tflite-model.ts';

/** `ActivationFunctionType` of the schema: the range that the operator's outcome is clamped to. */
const ranges: Readonly<Record<number, readonly [low: number, high: number]>> = {
  1: [0, Number.POSITIVE_INFINITY],
  2: [-1, 1],
  3: [0, 6],
};

/**
 * The activation that an operator carries along, as a node of its own. None is emitted where the quantized outcome cannot
 * leave the range anyway: it would keep ONNX Runtime from fusing the operator.
 */
export function fusedActivation(context: ImportContext, operator: TfliteOperator, value: string, code: number): string {
  if (code === 0) return value;
  const range = ranges[code];
  if (!range) throw context.fail(operator, `has the fused activation ${code}, which is not known`);
  const quantization = context.quantizationOf(operator.outputs[0]);
  return quantization && holds(range, quantization) ? value : clamp(context, value, range);
}

export function clamp(context: ImportContext, value: string, [low, high]: readonly [number, number]): string {
  if (low === 0 && high === Number.POSITIVE_INFINITY) return context.graph.node('Relu', [value]);
  const bound = (limit: number) => context.graph.constant(`bound_${limit}`, [], Float32Array.of(limit));
  return context.graph.node('Clip', [value, bound(low), bound(high)]);
}

/** Whether every byte stands for a value within the range, by TFLite's own rounding (`CalculateActivationRangeQuantized`). */
function holds([low, high]: readonly [number, number], { scale, zeroPoint }: ByteQuantization): boolean {
  return zeroPoint + Math.round(low / scale) <= 0 && zeroPoint + Math.round(high / scale) >= 255;
}
