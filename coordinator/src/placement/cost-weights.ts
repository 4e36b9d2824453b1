import { ShoalError } from '@shoal/protocol';

/**
 * What each term of the cost weighs. The unit is the joule of the mains: a placement that costs 1 is as good as one that draws a joule more. The
 * defaults were chosen by measurement in the simulator (docs/placement.md says how).
 */
export interface CostWeights {
  /** For a second that the result is expected to be late. */
  readonly perSecondLate: number;
  /** For the chance that it is late at all. */
  readonly perMiss: number;
  /** For a second until the result is there, in time or not. */
  readonly perSecond: number;
  /** For a joule at the device's own price. */
  readonly perJoule: number;
  /** What a joule costs on a device that is being charged; 1 on the mains. */
  readonly whileCharging: number;
  /** For an accuracy of 1.0 given up against the best choice. */
  readonly perAccuracy: number;
  /** For a second of an accelerator that all others of its kind are busy beside. */
  readonly perScarceSecond: number;
  /** For each level that a camera is decoded below the best there is for it, by the second. */
  readonly perDecodeLevel: number;
  /** For moving work that runs already. */
  readonly perMove: number;
}

export const defaultCostWeights: CostWeights = {
  perSecondLate: 0.6,
  perMiss: 0.3,
  perSecond: 0.05,
  perJoule: 1,
  whileCharging: 0.5,
  perAccuracy: 0.25,
  perScarceSecond: 0.1,
  perDecodeLevel: 0.1,
  perMove: 2,
};

const mostWeight = 1e6;

/**
 * Reads weights as people write them, `perMiss=0.5,perSecond=0.05`; those that are not named keep their defaults.
 * @throws `input.invalid` that names the weight, and what it may be.
 */
export function readCostWeights(text: string): CostWeights {
  const weights: { -readonly [Name in keyof CostWeights]: number } = { ...defaultCostWeights };
  for (const part of text.split(',')) {
    const [name = '', value = '', ...rest] = part.split('=').map((each) => each.trim());
    if (!isWeight(name)) {
      throw invalid(
        `there is no weight ${JSON.stringify(name.slice(0, 64))}; known are ${Object.keys(defaultCostWeights).join(', ')}, written perMiss=0.5,perSecond=0.05`,
      );
    }
    const weight = Number(value);
    if (value === '' || rest.length > 0 || !(weight >= 0 && weight <= mostWeight))
      throw invalid(`the weight ${name} must be a number from 0 to ${mostWeight}, as in ${name}=0.5`);
    weights[name] = weight;
  }
  return weights;
}

function isWeight(name: string): name is keyof CostWeights {
  return Object.hasOwn(defaultCostWeights, name);
}

function invalid(message: string): ShoalError {
  return new ShoalError('input.invalid', message, { field: 'weights' });
}
