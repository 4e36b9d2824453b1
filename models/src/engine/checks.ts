import { ShoalError } from '@shoal/protocol';
import type { ModelManifest } from '../manifest/index.ts';
import type { InferenceParameters, ModelFrame } from '../stages/index.ts';

/** @throws `input.invalid` when the frame is not what the model takes */
export function checkFrame({ name, input }: ModelManifest, { pixels }: ModelFrame): void {
  const expected = input.width * input.height * 3;
  if (pixels.length !== expected) {
    throw new ShoalError(
      'input.invalid',
      `${name} takes frames of ${input.width} x ${input.height} RGB pixels, ${expected} bytes; this one has ${pixels.length}`,
      { expectedBytes: expected, actualBytes: pixels.length },
    );
  }
  if (!(pixels.buffer instanceof SharedArrayBuffer)) {
    throw new ShoalError(
      'input.invalid',
      'the pixels of a frame must lie in shared memory: they would be copied for every run',
    );
  }
}

/** @throws `input.invalid` when a parameter is out of range */
export function checkParameters({ minScore, maxResults }: InferenceParameters): void {
  if (minScore !== undefined && !(minScore >= 0 && minScore <= 1)) {
    throw new ShoalError('input.invalid', `minScore must be between 0 and 1, is ${minScore}`, { field: 'minScore' });
  }
  if (maxResults !== undefined && !(Number.isInteger(maxResults) && maxResults >= 1)) {
    throw new ShoalError('input.invalid', `maxResults must be a whole number of at least 1, is ${maxResults}`, {
      field: 'maxResults',
    });
  }
}
