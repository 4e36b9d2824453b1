import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, open, readdir, statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, loadavg, platform, release, totalmem } from 'node:os';
import type { CommandOutput, RunOptions, SystemReader } from '../system-reader.ts';
import { patience } from './patience.ts';

export interface SystemReaderOptions {
  /** Longest text taken from a file or a program; a longer file is cut, a longer output refused. */
  readonly maxTextBytes: number;
  readonly maxNames: number;
  /** After this a file counts as one that cannot be read. */
  readonly fileTimeoutMs: number;
}

const defaults: SystemReaderOptions = { maxTextBytes: 2 ** 20, maxNames: 8192, fileTimeoutMs: 2000 };

/** The machine this process runs on. */
export function realSystemReader(options: Partial<SystemReaderOptions> = {}): SystemReader {
  const limits = { ...defaults, ...options };
  const within = patience(limits.fileTimeoutMs);

  return {
    host: () => ({
      platform: platform(),
      arch: arch(),
      kernel: release(),
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      memoryFreeBytes: freemem(),
      cpuModel: cpus()[0]?.model,
      // Windows has no load average and says 0.
      loadAverage1m: platform() === 'win32' ? undefined : loadavg()[0],
    }),
    readText: (path) => within(path, () => readStart(path, limits.maxTextBytes)),
    list: async (folder) => {
      const names = await within(folder, () => readdir(folder));
      return (names ?? []).sort().slice(0, limits.maxNames);
    },
    access: async (path) => (await within(path, () => accessOf(path))) ?? 'missing',
    diskSpace: (path) =>
      within(path, async () => {
        const { bsize, blocks, bavail } = await statfs(path);
        return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
      }),
    run: (command, args, runOptions) => run(command, args, runOptions, limits.maxTextBytes),
  };
}

/** Files of /proc and /sys say size 0 or 4096 whatever they hold, so they are read to their end or to the limit. */
async function readStart(path: string, maxBytes: number): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(Math.min(16_384, maxBytes - length)) });
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function accessOf(path: string): Promise<'usable' | 'forbidden' | 'missing'> {
  const wanted = path.startsWith('/dev/') ? constants.R_OK | constants.W_OK : constants.R_OK;
  try {
    await access(path, wanted);
    return 'usable';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'forbidden';
  }
}

/**
 * The child gets a process group of its own, which is killed as a whole: several of these tools are scripts, and a script's
 * child would otherwise outlive it and hold the pipe open.
 */
function run(
  command: string,
  args: readonly string[],
  { timeoutMs, signal }: RunOptions,
  maxBytes: number,
): Promise<CommandOutput | undefined> {
  if (signal?.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const grouped = platform() !== 'win32';
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: grouped,
      windowsHide: true,
      env: { ...process.env, LC_ALL: 'C' },
    });
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (output: CommandOutput | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(output);
    };
    const stop = () => {
      kill(child.pid, grouped);
      child.stdout.destroy();
      settle(undefined);
    };
    const timer = setTimeout(stop, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) stop();
    });
    child.on('error', () => settle(undefined));
    child.on('close', (code) =>
      settle(code === null ? undefined : { stdout: Buffer.concat(chunks).toString('utf8'), code }),
    );
  });
}

function kill(pid: number | undefined, grouped: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(grouped ? -pid : pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}
