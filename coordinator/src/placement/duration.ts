/**
 * How long something takes, as a distribution: log-normal, because times are never negative and err on the long side. Sums are matched by mean and
 * variance (Fenton-Wilkinson), which is exact enough for the tail that deadlines ask about.
 */
export interface Duration {
  readonly meanMs: number;
  readonly varianceMs2: number;
}

export const noTime: Duration = { meanMs: 0, varianceMs2: 0 };

/** Standard deviations from the median of a normal distribution to its 95th percentile. */
const z95 = 1.6449;

/** Something that takes this long, always. */
export function exactly(ms: number): Duration {
  return { meanMs: ms, varianceMs2: 0 };
}

/** The distribution with this median and 95th percentile, ms. A 95th percentile below the median counts as the median. */
export function fromQuantiles(p50Ms: number, p95Ms: number): Duration {
  if (p50Ms <= 0) return noTime;
  const sigma2 = (Math.log(Math.max(p95Ms, p50Ms) / p50Ms) / z95) ** 2;
  const meanMs = p50Ms * Math.exp(sigma2 / 2);
  return { meanMs, varianceMs2: (Math.exp(sigma2) - 1) * meanMs ** 2 };
}

/** One after the other, independent of each other. */
export function sum(a: Duration, b: Duration): Duration {
  return { meanMs: a.meanMs + b.meanMs, varianceMs2: a.varianceMs2 + b.varianceMs2 };
}

/** The same thing on something `factor` times as slow. */
export function slowed(duration: Duration, factor: number): Duration {
  return { meanMs: duration.meanMs * factor, varianceMs2: duration.varianceMs2 * factor ** 2 };
}

/** So many standard deviations away, nothing is left of a normal distribution. */
const zNever = 7;

/**
 * What going over the limit is expected to cost something of that mean and variance, where each ms over it costs `perMs` and that it is over it at all
 * `perMiss`: the mean lateness and the chance of it in one, for they have nearly everything in common.
 */
export function costOver(meanMs: number, varianceMs2: number, limitMs: number, perMs: number, perMiss: number): number {
  if (limitMs <= 0 || varianceMs2 <= 0 || meanMs <= 0)
    return meanMs > limitMs || limitMs <= 0 ? perMs * (meanMs - limitMs) + perMiss : 0;
  const sigma2 = logVariance(meanMs, varianceMs2);
  const sigma = Math.sqrt(sigma2);
  const z = (Math.log(limitMs / meanMs) + sigma2 / 2) / sigma;
  if (z - sigma > zNever) return 0;
  const chance = normalCdf(-z);
  return perMs * Math.max(0, meanMs * normalCdf(sigma - z) - limitMs * chance) + perMiss * chance;
}

/** What it does not exceed in 95 of 100 cases, ms. */
export function p95Ms(meanMs: number, varianceMs2: number): number {
  if (varianceMs2 <= 0 || meanMs <= 0) return meanMs;
  const sigma2 = logVariance(meanMs, varianceMs2);
  return meanMs * Math.exp(z95 * Math.sqrt(sigma2) - sigma2 / 2);
}

/** Of the logarithm, which is normal. */
function logVariance(meanMs: number, varianceMs2: number): number {
  return Math.log1p(varianceMs2 / (meanMs * meanMs));
}

/** Abramowitz and Stegun 26.2.17; at most 7.5e-8 off. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = 0.3989422804014327 * Math.exp((-x * x) / 2) * polynomial;
  return x >= 0 ? 1 - tail : tail;
}
