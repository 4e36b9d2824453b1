/** Samples after which a profile is about two thirds as sure as it gets. */
const samplesToTrust = 8;
/** How much a wide spread counts against it. */
const spreadWeight = 3;

/**
 * How sure a device is of its figures, 0..1: the more samples the surer, the more they differ the less.
 * `spread`: half the width of the middle half of the samples, relative to the median.
 */
export function confidenceOf(samples: number, spread: number): number {
  const enough = 1 - Math.exp(-Math.max(0, samples) / samplesToTrust);
  return enough / (1 + spreadWeight * Math.max(0, spread));
}
