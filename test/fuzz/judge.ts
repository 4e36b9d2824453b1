import { isShoalError } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';

/** What became of one input. */
export type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Failure {
  /** What two inputs have in common that fail in the same way. */
  readonly sign: string;
  readonly error: unknown;
}

const taken: Verdict = { kind: 'taken' };

/** Gives a target one input. Never throws. */
export async function judge(target: FuzzTarget, bytes: Uint8Array): Promise<Verdict> {
  try {
    const taking = target.take(bytes);
    if (taking) await taking;
    return taken;
  } catch (error) {
    if (isShoalError(error) && target.refuses.includes(error.code)) return { kind: 'refused', code: error.code };
    return { kind: 'failed', failure: { sign: signOf(error), error } };
  }
}

/** The kind of the error, and the place in our code that it comes from: what it says has the input in it. */
function signOf(error: unknown): string {
  if (!(error instanceof Error)) return 'something was thrown that is no error';
  const name = isShoalError(error) ? error.code : error.name;
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  const place = frames.find((line) => /\/(src|test)\//.test(line) && !line.includes('node_modules')) ?? frames[0] ?? '';
  return `${name} ${place
    .trim()
    .replace(/^at (.*) \(.*\/([^/]+:\d+):\d+\)$/, '$1 ($2)')
    .replace(/file:\/\/\/.*\//, '')}`;
}
