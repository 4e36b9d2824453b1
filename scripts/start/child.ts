import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** How it is called when it is spoken of: `coordinator`, `agent 1`. */
  readonly name: string;
  /** A script below the root of the repository, and its arguments. */
  readonly script: string;
  readonly args: readonly string[];
}

/** Of a child that nobody asked to end. */
export interface Death {
  /** `exit code 1`, `killed by SIGKILL`. */
  readonly how: string;
  /** The last line of its log; empty when it said nothing. */
  readonly lastLine: string;
  /** How it ended and all that is kept of its log. */
  readonly obituary: string;
}

const root = join(import.meta.dirname, '..', '..');
const endsWithParent = join(import.meta.dirname, 'ends-with-parent.ts');
/** A child that has not ended by then is killed: longer than any of them lets its work take. */
const drainMs = 20_000;
const linesKept = 40;

/** A process that ends with this one. It has a session of its own, so that Ctrl-C reaches it once, through us, and in order. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #lastLines: string[] = [];
  #ending = false;
  #gone = false;

  constructor({ name, script, args }: ChildOptions) {
    this.name = name;
    this.#process = spawn(process.execPath, ['--import', endsWithParent, join(root, script), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('close', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
    });
    void this.#ended.then(() => {
      this.#gone = true;
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    }
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** The first line on standard output that fits. Rejects with its last words when the child ends before. */
  firstLine(fits: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#process.stdout) {
        createInterface({ input: this.#process.stdout }).on('line', (line) => {
          if (fits(line)) resolve(line);
        });
      }
      void this.#ended.then((how) => reject(new Error(this.#obituary(how))));
    });
  }

  /** Resolves when the child ends although nobody asked it to. */
  async diedUnasked(): Promise<Death> {
    const how = await this.#ended;
    if (this.#ending) return new Promise<Death>(() => {});
    return { how, lastLine: this.#lastLines.at(-1) ?? '', obituary: this.#obituary(how) };
  }

  /** Asks it to end, waits, and in the end makes it. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#process.kill('SIGTERM');
    const insist = setTimeout(() => this.#process.kill('SIGKILL'), drainMs);
    await this.#ended;
    clearTimeout(insist);
  }

  #keep(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > linesKept) this.#lastLines.shift();
  }

  #obituary(how: string): string {
    const words = this.#lastLines.map((line) => `    ${line}`).join('\n');
    return `The ${this.name} ended (${how}).${words === '' ? '' : ` Its last words:\n${words}`}`;
  }
}
