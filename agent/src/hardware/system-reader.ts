import { ShoalError } from '@shoal/protocol';

/**
 * The one opening through which the probes see a machine. What is missing, forbidden or stuck is `undefined` (or empty),
 * never an exception: a probe asks, and goes on without.
 */
export interface SystemReader {
  /** What the runtime itself knows, when files say nothing (phones, macOS, Windows). */
  host(): HostFacts;
  /** The text of a file of `/proc`, `/sys` or `/etc`, at most as long as the reader's limit. */
  readText(path: string): Promise<string | undefined>;
  /** The names in a folder, sorted. */
  list(folder: string): Promise<readonly string[]>;
  /** Whether this process may open it, for devices: to read and write. */
  access(path: string): Promise<'usable' | 'forbidden' | 'missing'>;
  diskSpace(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number } | undefined>;
  /** Runs a program found on the PATH. `undefined`: not there, killed after `timeoutMs`, or too much output. */
  run(command: string, args: readonly string[], options: RunOptions): Promise<CommandOutput | undefined>;
}

export interface HostFacts {
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly memoryFreeBytes?: number | undefined;
  readonly cpuModel?: string | undefined;
  readonly loadAverage1m?: number | undefined;
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandOutput {
  readonly stdout: string;
  readonly code: number;
}

/** The same reader, whose every wait ends with `aborted` when the signal says so. */
export function abortable(reader: SystemReader, signal: AbortSignal): SystemReader {
  return {
    host: () => reader.host(),
    readText: (path) => untilAborted(signal, () => reader.readText(path)),
    list: (folder) => untilAborted(signal, () => reader.list(folder)),
    access: (path) => untilAborted(signal, () => reader.access(path)),
    diskSpace: (path) => untilAborted(signal, () => reader.diskSpace(path)),
    run: (command, args, options) => untilAborted(signal, () => reader.run(command, args, { ...options, signal })),
  };
}

function untilAborted<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () =>
      reject(new ShoalError('aborted', 'Reading the hardware was stopped.', {}, { cause: signal.reason }));
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    ask()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
