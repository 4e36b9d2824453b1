import { describe, expect, it } from 'vitest';
import { classify, softmax } from '../../src/stages/classification-head.ts';

const three = { activation: 'none', reported: [true, true, true], minScore: 0, topK: 3 } as const;

describe('a classification head', () => {
  it('ranks the classes by score, the first of equals first', () => {
    expect([...classify(Float32Array.from([0.25, 0.5, 0.25]), three)]).toEqual([1, 0.5, 0, 0.25, 2, 0.25]);
  });

  it('keeps the strongest few, of at least the least score, of the classes that are reported', () => {
    const scores = Float32Array.from([0.25, 0.5, 0.75]);
    expect([...classify(scores, { ...three, topK: 1 })]).toEqual([2, 0.75]);
    expect([...classify(scores, { ...three, minScore: 0.5 })]).toEqual([2, 0.75, 1, 0.5]);
    expect([...classify(scores, { ...three, reported: [true, true, false] })]).toEqual([1, 0.5, 0, 0.25]);
  });

  it('reads bytes through their quantization, and says when it is missing', () => {
    const quantization = { scale: 1 / 256, zeroPoint: 0 };
    expect([...classify(Uint8Array.from([64, 128, 0]), { ...three, quantization })]).toEqual([1, 0.5, 0, 0.25, 2, 0]);
    expect(() => classify(new Uint8Array(3), three)).toThrow(/quantized/);
  });

  it('makes logits probabilities that sum to one, however large they are', () => {
    const even = softmax(Float32Array.from([1000, 1000]));
    expect([...even]).toEqual([0.5, 0.5]);
    const [best, score] = classify(Float32Array.from([0, Math.log(3), Number.NEGATIVE_INFINITY]), {
      ...three,
      activation: 'softmax',
    });
    expect(best).toBe(1);
    expect(score).toBeCloseTo(0.75, 6);
  });
});
