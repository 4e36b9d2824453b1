import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, Report } from './batch.ts';

/** A batch that did not come to its end. */
export interface Ended {
  readonly how: 'died' | 'hung';
  /** The input that was being tried. */
  readonly number: number;
}

/** How long one input may take, ms: a thousand times what the slowest takes. */
const patienceMs = 60_000;

/** A process that tries inputs, and the next one when it died of one or hangs. */
export class FuzzProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shoal-fuzz-'));
  #child: Promise<ChildProcess> | undefined;

  async run(batch: Batch): Promise<Report | Ended> {
    this.#child ??= this.#start();
    const child = await this.#child;
    const { promise, resolve } = Promise.withResolvers<Report | Ended>();
    let last = Number.NaN;
    const watch = setInterval(() => {
      if (this.#current() === last) resolve({ how: 'hung', number: last });
      last = this.#current();
    }, patienceMs);
    const died = () => resolve({ how: 'died', number: this.#current() });
    child.once('message', resolve).once('exit', died);
    child.send(batch);
    const outcome = await promise;
    clearInterval(watch);
    child.off('message', resolve).off('exit', died);
    if ('how' in outcome) {
      child.kill('SIGKILL');
      this.#child = undefined;
    }
    return outcome;
  }

  stop(): void {
    void this.#child?.then((child) => child.disconnect());
    rmSync(this.#folder, { recursive: true });
  }

  #start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'child.ts'), [this.#trace], { execArgv: ['--conditions=source'] });
    return new Promise((resolve, reject) => {
      child.once('message', () => resolve(child)).once('exit', () => reject(new Error('the process did not start')));
    });
  }

  get #trace(): string {
    return join(this.#folder, 'current');
  }

  #current(): number {
    const bytes = readFileSync(this.#trace);
    return bytes.length < 8 ? 0 : bytes.readDoubleLE();
  }
}
