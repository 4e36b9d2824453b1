import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks the person at the terminal; nothing of the answer is shown. */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const unseen = new Writable({ write: (_shown, _encoding, done) => done() });
  // As a terminal it takes the echo away, and writes what it would show to nowhere.
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  const interrupted = new AbortController();
  lines.once('SIGINT', () => interrupted.abort());
  process.stderr.write(question);
  try {
    return await lines.question('', { signal: AbortSignal.any([signal, interrupted.signal]) });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
