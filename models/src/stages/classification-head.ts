import type { ClassificationHead } from '../manifest/index.ts';
import { byteTable, type OutputTensor, type Quantization } from './quantization.ts';

/** A class in a packed list: class, score. */
export const classStride = 2;

/** Class scores [classes] to the `topK` strongest of at least `minScore`, packed, strongest first. */
export function classify(
  scores: OutputTensor,
  options: {
    readonly activation: ClassificationHead['activation'];
    readonly quantization?: Quantization | undefined;
    readonly reported: readonly boolean[];
    readonly minScore: number;
    readonly topK: number;
  },
): Float32Array<ArrayBuffer> {
  const values = dequantized(scores, options.quantization);
  const probabilities = options.activation === 'softmax' ? softmax(values) : values;
  const best = Array.from(probabilities, (score, klass) => ({ klass, score }))
    .filter(({ klass, score }) => options.reported[klass] && score >= options.minScore)
    .sort((a, b) => b.score - a.score || a.klass - b.klass)
    .slice(0, options.topK);
  return Float32Array.from(best.flatMap(({ klass, score }) => [klass, score]));
}

function dequantized(scores: OutputTensor, quantization: Quantization | undefined): Float32Array {
  if (scores instanceof Float32Array) return scores;
  if (!quantization) throw new TypeError('the scores are bytes, and the manifest does not say how they are quantized');
  const table = byteTable(quantization);
  return Float32Array.from(scores, (byte) => table[byte] as number);
}

/** The maximum is taken off first, so that large logits do not overflow. */
export function softmax(logits: Float32Array): Float32Array {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = logits.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
