import { assumedMemoryBytes, type ModelVariant } from '@shoal/models/manifest';
import type { Choice, Figures } from './choice.ts';
import type { Menu } from './menu.ts';

/** A variant that the device never measured is expected to take this long, ms: slow, so that a device which knows is preferred. */
const unmeasuredRunMs: Readonly<Record<ModelVariant['precision'], number>> = { int8: 250, float16: 400, float32: 500 };
const unmeasuredLoadMs = 1_000;
/** A device of which nothing is known draws so much more while it infers, watts. */
const unknownBusyWatts = 5;

/** The figures of one option, in this order, side by side: a fleet of them is read for each piece of work. */
const figuresEach = 8;
const notLoading = Number.POSITIVE_INFINITY;
/** How the time of a run is known. */
const [unknown, said, shown] = [0, 1, 2];

/** What may be run on one device, with what it takes there. */
export class Options {
  readonly choices: readonly Choice[];
  readonly #figures: Float64Array;

  constructor(choices: readonly Choice[], figures: Float64Array) {
    this.choices = choices;
    this.#figures = figures;
  }

  /** One inference on a device that does nothing else: its mean and variance. */
  runMs(option: number): number {
    return this.#figures[option * figuresEach] as number;
  }

  varianceMs2(option: number): number {
    return this.#figures[option * figuresEach + 1] as number;
  }

  /** What one inference draws above idling. */
  energyJ(option: number): number {
    return this.#figures[option * figuresEach + 2] as number;
  }

  /**
   * What loading takes before the first run of work that waits for so long first. What other work loads already is not loaded twice: only waited for.
   */
  loadMs(option: number, nowMs: number, waitMs = 0): number {
    const at = option * figuresEach + 3;
    if (nowMs < (this.#figures[at + 1] as number)) return 0;
    const leftMs = (this.#figures[at + 3] as number) - nowMs - waitMs;
    return Math.max(0, Math.min(leftMs, this.#figures[at] as number));
  }

  /** Memory that has to be found for it; 0 when it is loaded, or something loads it. */
  moreBytes(option: number, nowMs: number): number {
    const at = option * figuresEach;
    const isThere = nowMs < (this.#figures[at + 4] as number) || this.#figures[at + 6] !== notLoading;
    return isThere ? 0 : (this.#figures[at + 7] as number);
  }

  /** Whether the time of a run was measured on this device. */
  isMeasured(option: number): boolean {
    return this.#figures[option * figuresEach + 5] !== unknown;
  }

  /** Whether that was only said: no run has shown it yet. */
  isUnproven(option: number): boolean {
    return this.#figures[option * figuresEach + 5] === said;
  }
}

/**
 * The choices that are worth a thought on a device. Where it has measured some, those that it has not are not guessed; and what another choice beats in
 * everything is left out: whoever decides by time, energy and accuracy would never take it.
 */
export function optionsOf(
  device: { readonly bytesPerMs: number; figures(key: string): Figures },
  { choices }: Menu,
): Options {
  const all = choices.map((choice) => rowOf(choice, device.figures(choice.key), device.bytesPerMs));
  const measured = all.filter(({ knownBy }) => knownBy !== unknown);
  const open = measured.length > 0 ? measured : all;
  const kept = open.filter((row, at) => !open.some((other, otherAt) => beats(other, row, otherAt < at)));
  const numbers = kept.flatMap(
    ({ runMs, varianceMs2, energyJ, loadMs, loadedUntilMs, knownBy, loadingUntilMs, memoryBytes }) => [
      runMs,
      varianceMs2,
      energyJ,
      loadMs,
      loadedUntilMs,
      knownBy,
      loadingUntilMs,
      memoryBytes,
    ],
  );
  return new Options(
    kept.map(({ choice }) => choice),
    Float64Array.from(numbers),
  );
}

interface Row {
  readonly choice: Choice;
  readonly runMs: number;
  readonly varianceMs2: number;
  readonly energyJ: number;
  readonly loadMs: number;
  readonly loadedUntilMs: number;
  readonly knownBy: number;
  readonly loadingUntilMs: number;
  readonly memoryBytes: number;
}

function rowOf(choice: Choice, figures: Figures, bytesPerMs: number): Row {
  const { run, unproven, energyJ, loadMs, loadedUntilMs, loadingUntilMs = notLoading, memoryBytes } = figures;
  const { precision, sizeBytes } = choice.variant;
  const runMs = run?.meanMs ?? unmeasuredRunMs[precision];
  return {
    choice,
    runMs,
    // A guess is so unsure that it may as well take twice as long, or half.
    varianceMs2: run ? run.varianceMs2 : runMs ** 2,
    energyJ: energyJ ?? energyOfRun(runMs),
    loadMs: loadMs ?? unmeasuredLoadMs + sizeBytes / bytesPerMs,
    loadedUntilMs,
    knownBy: run === undefined ? unknown : unproven ? said : shown,
    loadingUntilMs,
    memoryBytes: memoryBytes ?? assumedMemoryBytes(choice.variant),
  };
}

/** What a run of which only the time is known is taken to draw, joules. */
export function energyOfRun(runMs: number): number {
  return (runMs / 1_000) * unknownBusyWatts;
}

/** At least as good in everything. Of equals one stays. */
function beats(a: Row, b: Row, isFirst: boolean): boolean {
  if (a === b) return false;
  const differences = [
    a.runMs - b.runMs,
    a.varianceMs2 - b.varianceMs2,
    a.energyJ - b.energyJ,
    a.loadMs - b.loadMs,
    // In memory until ever, both of them: no difference.
    a.loadedUntilMs === b.loadedUntilMs ? 0 : b.loadedUntilMs - a.loadedUntilMs,
    a.loadingUntilMs === b.loadingUntilMs ? 0 : a.loadingUntilMs - b.loadingUntilMs,
    // What needs less may be the only one that fits.
    a.memoryBytes - b.memoryBytes,
    b.choice.accuracy - a.choice.accuracy,
  ];
  return differences.every((difference) => difference <= 0) && (isFirst || differences.some((each) => each < 0));
}
