import { ShoalError } from '@shoal/protocol';

/** One operation of a life: when, which, and what decides everything about it. */
export interface Step {
  /** Virtual ms. */
  readonly atMs: number;
  /** The name of an operation. */
  readonly operation: string;
  readonly seed: number;
}

/** All that was done to a world, so that it can be done again, or a part of it. */
export interface Script {
  /** Decides what the processes, the network and the disks roll dice for. */
  readonly seed: number;
  readonly steps: readonly Step[];
  /** When the faults stop, virtual ms. */
  readonly endMs: number;
}

/** A life that once broke a promise, as a file keeps it. */
export interface Regression {
  /** What was promised and not kept, as it was seen. */
  readonly once: string;
  /** Of the code that broke it. */
  readonly commit: string;
  readonly script: Script;
}

const mostSteps = 10_000;

export function formatRegression({ once, commit, script: { seed, endMs, steps } }: Regression): string {
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n');
  const head = Object.entries({ once, commit, seed, endMs }).map(
    ([name, value]) => `  "${name}": ${JSON.stringify(value)}`,
  );
  return `{\n${head.join(',\n')},\n  "steps": [${steps.length > 0 ? `\n${lines}\n  ` : ''}]\n}\n`;
}

/** @throws `input.invalid` with the field that is wrong */
export function parseRegression(text: string): Regression {
  const { once, commit, seed, endMs, steps } = anObject(parseJson(text), 'the file');
  if (typeof once !== 'string' || typeof commit !== 'string') throw wrong('once and commit', 'texts');
  if (!Array.isArray(steps) || steps.length > mostSteps) throw wrong('steps', `a list of at most ${mostSteps}`);
  const script = { seed: aSeed(seed, 'seed'), endMs: aTime(endMs, 'endMs'), steps: steps.map(parseStep) };
  return { once, commit, script };
}

function parseStep(step: unknown, index: number): Step {
  const where = `steps[${index}]`;
  const { atMs, operation, seed } = anObject(step, where);
  if (typeof operation !== 'string') throw wrong(`${where}.operation`, 'the name of an operation');
  return { atMs: aTime(atMs, `${where}.atMs`), operation, seed: aSeed(seed, `${where}.seed`) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ShoalError('input.invalid', 'a regression is a JSON file; this is none', {}, { cause });
  }
}

function anObject(value: unknown, where: string): { readonly [name: string]: unknown } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(where, 'an object');
}

function aSeed(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw wrong(where, 'a whole number below 2^32');
}

function aTime(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw wrong(where, 'a number of milliseconds');
}

function wrong(where: string, form: string): ShoalError {
  return new ShoalError('input.invalid', `${where} must be ${form}`, { field: where });
}
