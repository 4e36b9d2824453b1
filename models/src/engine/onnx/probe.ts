import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ShoalError } from '@shoal/protocol';
import { besideMe, childArguments } from './entry.ts';

/** What the probe prints when the runtime works. */
export interface ProbeReport {
  readonly version: string;
  readonly providers: readonly string[];
}

const probeTimeoutMs = 30_000;

/**
 * Loads ONNX Runtime in a child process and runs a small quantized model on each provider. An illegal instruction (it happens
 * on ARM: onnxruntime#24112) kills the child only.
 * @throws `engine.unavailable` with what the child said last, `aborted`
 */
export async function probeRuntime(entry: URL | undefined, signal: AbortSignal): Promise<ProbeReport> {
  const path = fileURLToPath(entry ?? besideMe('probe-child', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...childArguments(), path], {
      signal,
      timeout: probeTimeoutMs,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout) as ProbeReport;
  } catch (error) {
    signal.throwIfAborted();
    throw new ShoalError(
      'engine.unavailable',
      `ONNX Runtime does not work on this machine: ${lastWords(error)}`,
      {},
      { cause: error },
    );
  }
}

function lastWords(error: unknown): string {
  const { signal, stderr, killed, message } = error as {
    signal?: string;
    stderr?: string;
    killed?: boolean;
    message?: string;
  };
  if (killed) return `the probe did not answer within ${probeTimeoutMs} ms`;
  if (signal) return `the probe was ended by ${signal}`;
  if (/Cannot find module .*onnxruntime_binding\.node/.test(stderr ?? '')) return notThere();
  const said = (stderr ?? '').split('\n').find((line) => /error/i.test(line));
  return said?.trim() ?? message ?? String(error);
}

/** A package carries the runtime for one kind of machine, or for none. */
function notThere(): string {
  const machine = `${process.platform}-${process.arch}`;
  if (process.arch === 'arm') return `it is not made for 32-bit ARM (${machine})`;
  return `this package carries none for ${machine} (packed with SHOAL_ENGINE=${machine} it does, where there is one)`;
}
