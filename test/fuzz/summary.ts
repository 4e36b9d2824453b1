import type { Batch, FailureReport, Report } from './batch.ts';
import { caseOf } from './cases.ts';
import type { Ended } from './fuzz-process.ts';
import { isGrowth } from './growth.ts';
import { keepRegression } from './regressions.ts';
import { allTargets } from './targets.ts';

interface Line {
  ran: number;
  taken: number;
  grownBytes: number;
  readonly codes: Map<string, number>;
}

const sayEveryMs = 60_000;

/** What all processes together have done, and keeping what they found. */
export class Summary {
  readonly #seed: number;
  readonly #processes: number;
  readonly #startMs = performance.now();
  readonly #lines = new Map<string, Line>();
  readonly #signs = new Set<string>();
  #largestBytes = 0;
  #failures = 0;
  #saidMs = this.#startMs;

  constructor(seed: number, processes: number) {
    this.#seed = seed;
    this.#processes = processes;
  }

  /** How many different ones there were, and how many targets grew. */
  get failures(): number {
    return this.#failures + this.#grown.length;
  }

  async add(batch: Batch, outcome: Report | Ended): Promise<void> {
    if ('how' in outcome) return this.#addEnded(batch, outcome);
    const line = this.#line(batch.target);
    // The first batch of a target compiles it.
    if (line.ran > 0) line.grownBytes += outcome.grownBytes;
    line.ran += outcome.ran;
    line.taken += outcome.taken;
    for (const [code, count] of Object.entries(outcome.refused))
      line.codes.set(code, (line.codes.get(code) ?? 0) + count);
    this.#largestBytes = Math.max(this.#largestBytes, outcome.residentBytes);
    for (const failure of outcome.failures) await this.#addFailure(batch.target, failure);
    this.#sayHowFar();
  }

  print(): void {
    for (const [name, { ran, taken, codes }] of this.#lines) {
      const refused = [...codes].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
      process.stdout.write(`${name.padEnd(45)} ${String(ran).padStart(9)}  taken ${taken}  ${refused.join(', ')}\n`);
    }
    for (const [name, { ran, grownBytes }] of this.#grown)
      process.stdout.write(`${name} keeps memory: ${grownBytes} bytes more after ${ran} inputs\n`);
    process.stdout.write(
      `${this.#howFar()}; seed ${this.#seed}, at most ${this.#largestBytes >> 20} MiB in a process\n`,
    );
  }

  get #grown(): (readonly [string, Line])[] {
    return [...this.#lines].filter(([, { grownBytes, ran }]) => isGrowth(grownBytes, ran));
  }

  #line(target: string): Line {
    const line = this.#lines.get(target) ?? { ran: 0, taken: 0, grownBytes: 0, codes: new Map() };
    this.#lines.set(target, line);
    return line;
  }

  /** What a process died of cannot be tried again to make it shorter. */
  async #addEnded({ target, seed, first }: Batch, { how, number }: Ended): Promise<void> {
    this.#line(target).ran += number - first;
    const door = (await allTargets()).find(({ name }) => name === target);
    const hex = door ? Buffer.from(caseOf(door, seed, number)).toString('hex') : '';
    await this.#addFailure(target, { number, sign: how, why: `the process ${how}`, hex });
  }

  async #addFailure(target: string, { number, sign, why, hex }: FailureReport): Promise<void> {
    if (this.#signs.has(`${target} ${sign}`)) return;
    this.#signs.add(`${target} ${sign}`);
    this.#failures += 1;
    const file = await keepRegression({ target, why: `${sign}: ${why}`, hex });
    process.stdout.write(
      `${target}, input ${number} of seed ${this.#seed}: ${sign}: ${why}\n  kept in test/fuzz/regressions/${file}\n`,
    );
  }

  #sayHowFar(): void {
    if (performance.now() - this.#saidMs < sayEveryMs) return;
    this.#saidMs = performance.now();
    process.stdout.write(`${this.#howFar()}\n`);
  }

  #howFar(): string {
    const ran = [...this.#lines.values()].reduce((sum, line) => sum + line.ran, 0);
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const rate = `${Math.round(ran / seconds)} a second on ${this.#processes} processors`;
    return `${ran} inputs for ${this.#lines.size} decoders, ${this.failures} failures; ${Math.round(seconds)} s, ${rate}`;
  }
}
