import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { paintFor } from '@shoal/coordinator';
import { asShoalError } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { CommanderError } from 'commander';
import { createProgram } from './cli/index.ts';

const program = createProgram('0.1.0', {
  output: process.stdout,
  errors: process.stderr,
  paint: paintFor(process.stdout, process.env),
  nowMs: () => systemClock.monotonicMs(),
  cpuMs,
  readFile: (path) => readFile(path, 'utf8'),
  fail() {
    process.exitCode = 1;
  },
  writeFile,
  commit,
});

try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    const error = asShoalError(thrown);
    process.stderr.write(`shoal-sim: ${error.code === 'defect' ? error.stack : error.message}\n`);
    process.exitCode = error.code === 'input.invalid' || error.code === 'not-found' ? 2 : 1;
  }
}

async function commit(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
    });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
