import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageInput } from '../../src/manifest/index.ts';
import { createInputTensor, createInputWriter, isPlain } from '../../src/stages/input-tensor.ts';

const plain: ImageInput = {
  name: 'input',
  width: 5,
  height: 3,
  layout: 'NHWC',
  type: 'uint8',
  colour: 'rgb',
  fit: 'stretch',
  padValue: 0,
};
const normalise = { mean: [10, 20, 30], std: [2, 4, 8] } as const;

describe('the input tensor', () => {
  it('has channel, row and column where the manifest says, normalised per channel', () => {
    const input = fc.record({
      layout: fc.constantFrom('NHWC' as const, 'NCHW' as const),
      type: fc.constantFrom('uint8' as const, 'float32' as const),
      colour: fc.constantFrom('rgb' as const, 'bgr' as const),
    });
    fc.assert(
      fc.property(input, fc.uint8Array({ minLength: 45, maxLength: 45 }), (change, pixels) => {
        const described: ImageInput = { ...plain, ...change, normalise };
        const tensor = createInputTensor(described);
        createInputWriter(described)(pixels, tensor);
        for (let y = 0; y < 3; y++)
          for (let x = 0; x < 5; x++)
            for (let channel = 0; channel < 3; channel++) {
              const at = change.layout === 'NHWC' ? (y * 5 + x) * 3 + channel : channel * 15 + y * 5 + x;
              const value = pixels[(y * 5 + x) * 3 + (change.colour === 'rgb' ? channel : 2 - channel)] ?? 0;
              const expected =
                change.type === 'uint8'
                  ? value
                  : (value - (normalise.mean[channel] ?? 0)) / (normalise.std[channel] ?? 1);
              expect(tensor[at]).toBeCloseTo(expected, 4);
            }
      }),
    );
  });

  it('is the frame itself for the plainest of inputs only', () => {
    expect(isPlain(plain)).toBe(true);
    expect(isPlain({ ...plain, colour: 'bgr' })).toBe(false);
    expect(isPlain({ ...plain, layout: 'NCHW' })).toBe(false);
    expect(isPlain({ ...plain, type: 'float32' })).toBe(false);
  });
});
