import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes that are in use after everything that could be let go has been. */
export async function bytesInUse(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    // Finalizers run, and what they let go is collected in the next round.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Code that is compiled and caches that are filled are growth too, at first. */
const mostBytes = 4 << 20;
/** What is kept of each input is more. */
const mostBytesPerInput = 16;

export function isGrowth(bytes: number, inputs: number): boolean {
  return bytes > mostBytes && bytes > inputs * mostBytesPerInput;
}
