import { stripVTControlCharacters } from 'node:util';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { runShoal } from '../../src/cli/index.ts';
import { openCoordinator } from '../../src/ports.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  // biome-ignore lint/suspicious/noExplicitAny: the answer's shape is what the test is about
  readonly json: () => any;
}

export interface ShellOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly interrupted?: AbortSignal;
  readonly onOutput?: (text: string) => void;
  readonly askSecret?: (question: string) => Promise<string>;
}

/** Runs the `shoal` command in this process, with outputs that are no terminal. */
export async function shoal(words: readonly string[], options: ShellOptions = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await runShoal(words, {
    env: { PATH: process.env['PATH'], ...options.env },
    stdout: {
      write: (text) => {
        out += text;
        options.onOutput?.(text);
      },
    },
    stderr: {
      write: (text) => {
        err += text;
      },
    },
    clock: systemClock,
    random: systemRandom,
    openCoordinator,
    ...(options.askSecret && { askSecret: options.askSecret }),
    interrupted: options.interrupted ?? new AbortController().signal,
  });
  if (stripVTControlCharacters(out + err) !== out + err) throw new Error('colours on what is no terminal');
  return { code, out, err, json: () => JSON.parse(out) };
}
