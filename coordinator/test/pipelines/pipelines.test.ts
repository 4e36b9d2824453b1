import { catalogueManifests } from '@shoal/models/manifest';
import { describe, expect, it } from 'vitest';
import { indexModels, type PipelineRequest, resolvePipeline } from '../../src/pipelines/index.ts';

const models = indexModels(catalogueManifests);

/** What may be run, by its accuracy. */
function choicesOf(request: Partial<PipelineRequest>): Record<string, number> {
  const { choices } = resolvePipeline({ pipeline: 'detect', ...request }, models);
  return Object.fromEntries(choices.map(({ key, accuracy }) => [key, accuracy]));
}

describe('what may be run', () => {
  it('is the files of the model that is asked for', () => {
    expect(Object.keys(choicesOf({ model: 'efficientdet-lite1' }))).toEqual([
      'efficientdet-lite1/int8',
      'efficientdet-lite1/float32',
    ]);
    expect(Object.keys(choicesOf({ variant: 'int8' }))).toEqual(['efficientdet-lite0/int8']);
  });

  it('is other models too that lose no more accuracy than may be given up', () => {
    const names = (accuracyLoss: number) => Object.keys(choicesOf({ model: 'efficientdet-lite2', accuracyLoss }));
    expect(names(0.05)).toEqual([
      'efficientdet-lite1/int8',
      'efficientdet-lite1/float32',
      'efficientdet-lite2/int8',
      'efficientdet-lite2/float32',
    ]);
    expect(names(1)).toHaveLength(6);
  });

  it('is as accurate as it is on pictures with so many things, when that is said', () => {
    const int8 = (objects: 'few' | 'many') => choicesOf({ variant: 'int8', objects })['efficientdet-lite0/int8'];
    expect([int8('few'), int8('many')]).toEqual([0.5809, 0.2571]);
    // Lite1 loses 1.7 points against Lite2 on pictures with many things, and 8.8 on those with some.
    const mayBeLite1 = (objects: 'many' | 'some') =>
      'efficientdet-lite1/int8' in choicesOf({ model: 'efficientdet-lite2', accuracyLoss: 0.05, objects });
    expect([mayBeLite1('many'), mayBeLite1('some')]).toEqual([true, false]);
  });

  it.each([
    [{ pipeline: 'classify', objects: 'few' }, 'the pipeline classify does not look for things'],
    [{ pipeline: 'noop', objects: 'few' }, 'the pipeline noop does not look for things'],
    [{ pipeline: 'look' }, 'there is no pipeline "look"; known are noop, detect, classify'],
    [{ model: 'yolo' }, 'there is no model "yolo"; known are efficientdet-lite0'],
    [{ variant: 'int4' }, 'efficientdet-lite0 has no variant "int4"; it has int8, float32'],
    [{ variant: 'int8', accuracyLoss: 0.1 }, 'a variant is asked for by name'],
  ] as const)('%j is refused', (request, message) => {
    expect(() => choicesOf(request)).toThrow(message);
  });
});
