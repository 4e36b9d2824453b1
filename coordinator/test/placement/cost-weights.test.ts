import { describe, expect, it } from 'vitest';
import { defaultCostWeights, readCostWeights } from '../../src/placement/index.ts';

describe('weights of the cost as people write them', () => {
  it('are those that are named, and the defaults of the others', () => {
    expect(readCostWeights('perMiss=0.5, perSecond=0')).toEqual({ ...defaultCostWeights, perMiss: 0.5, perSecond: 0 });
  });

  it.each([
    ['perMis=1', 'there is no weight "perMis"; known are perSecondLate, perMiss'],
    ['constructor=1', 'there is no weight "constructor"'],
    ['', 'there is no weight ""'],
    ['perMiss', 'the weight perMiss must be a number from 0 to 1000000, as in perMiss=0.5'],
    ['perMiss=-1', 'the weight perMiss must be a number'],
    ['perMiss=NaN', 'the weight perMiss must be a number'],
    ['perMiss=Infinity', 'the weight perMiss must be a number'],
    ['perMiss=1=2', 'the weight perMiss must be a number'],
  ])('%s is refused, with what would be right', (text, message) => {
    expect(() => readCostWeights(text)).toThrow(message);
  });
});
