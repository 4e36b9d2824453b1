import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { besideMe, childArguments } from './entry.ts';

export interface PrepareRequest {
  /** The model's file, verified. */
  readonly modelPath: string;
  /** Where the prepared model is written. */
  readonly path: string;
  readonly threadsPerWorker: number;
}

/** Half a second on a PC, a few on a Raspberry Pi. */
const prepareTimeoutMs = 60_000;

/**
 * Has the runtime optimise a model in a child process, which takes the optimiser's memory with it when it ends: 8 MB for Lite0 that would stay
 * otherwise. @throws when it cannot.
 */
export async function prepareInChild(request: PrepareRequest, entry?: string): Promise<void> {
  const script = fileURLToPath(entry ?? besideMe('prepare-child', import.meta.url));
  const args = [...childArguments(), script, JSON.stringify(request)];
  await promisify(execFile)(process.execPath, args, { timeout: prepareTimeoutMs, killSignal: 'SIGKILL' });
}
