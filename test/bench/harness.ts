/** A figure that a benchmark reports, beside the floor it was measured against in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the same machine did in the same run without Shoal; `null` for an absolute goal. */
  readonly floor: number | null;
  /** value / floor; `null` without a floor. */
  readonly ratio: number | null;
  /** The goal in words: `ratio <= 1.1`. */
  readonly goal: string;
  readonly pass: boolean;
}

export interface Bench {
  readonly name: string;
  /** One line for the list. */
  readonly title: string;
  /** What must be installed or lie beside the project; `undefined` when the benchmark can run. */
  missing?(): Promise<string | undefined>;
  run(report: Report): Promise<readonly Figure[]>;
}

/** Tells a person how the run goes. */
export interface Report {
  line(text: string): void;
  /** How much the floor itself varied over the rounds of this run: what a ratio is worth. */
  noise(name: string, samples: readonly number[]): void;
}

export type Limit = { readonly atMost: number } | { readonly atLeast: number };

/** A figure judged by its ratio to a floor. */
export function ratioFigure(name: string, unit: string, value: number, floor: number, limit: Limit): Figure {
  const ratio = value / floor;
  return { name, value: round(value), unit, floor: round(floor), ratio: round(ratio), ...judge('ratio', ratio, limit) };
}

/** A figure judged by itself. */
export function absoluteFigure(name: string, unit: string, value: number, limit: Limit): Figure {
  return { name, value: round(value), unit, floor: null, ratio: null, ...judge(unit, value, limit) };
}

function judge(what: string, value: number, limit: Limit): { goal: string; pass: boolean } {
  if ('atMost' in limit) return { goal: `${what} <= ${limit.atMost}`, pass: value <= limit.atMost };
  return { goal: `${what} >= ${limit.atLeast}`, pass: value >= limit.atLeast };
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** The value below which the share `quantile` (0..1) of the samples lies; nearest rank. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new RangeError('no samples');
  return value;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/**
 * Runs the contestants in turn, A B A B ..., so that a machine that slows down slows all of them; one round is not counted.
 * @returns what each returned, by name, in order of the rounds.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const entries = Object.entries<() => Promise<number>>(contestants);
  const samples = Object.fromEntries(entries.map(([name]) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of entries) {
      const value = await run();
      if (round >= 0) samples[name as Name].push(value);
    }
  }
  return samples;
}

/** Processor time of this process so far, ms: others that use the machine do not change it. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Wall time of one call, ms. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}
