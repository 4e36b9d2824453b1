import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { asShoalError, createLogger, isShoalError } from '@shoal/protocol';
import { consoleLogSink, interruption, systemClock, systemRandom } from '@shoal/protocol/real';
import { CommanderError } from 'commander';
import { defaultCacheDirectory } from './cache/index.ts';
import { Catalogue, createModelStore } from './catalogue/index.ts';
import { type CommandContext, createProgram } from './cli/index.ts';
import { createOnnxEngine } from './engine/index.ts';
import { knownManifests, manifestDirectory } from './manifest/index.ts';

const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
const interrupted = interruption();
let progressShown = false;

// The reader of a pipe may go first (`| head`): that is no failure of ours.
process.stdout.on('error', () => process.exit(exitCodes.done));

function context(): CommandContext {
  const logger = createLogger(consoleLogSink('text'), 'warn');
  const deps = { clock: systemClock, random: systemRandom, logger };
  const folders = { platform: process.platform, homeDirectory: homedir(), environment: process.env };
  const catalogue = new Catalogue(knownManifests(manifestDirectory(folders), logger));
  return {
    clock: systemClock,
    store: createModelStore(deps, { cacheDirectory: defaultCacheDirectory(folders), catalogue }),
    signal: interrupted,
    print: (text) => {
      endProgress();
      process.stdout.write(`${text}\n`);
    },
    say: (text) => {
      endProgress();
      process.stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (!process.stderr.isTTY) return;
      progressShown = true;
      process.stderr.write(`\r\x1b[K${text}`);
    },
    createEngine: () => createOnnxEngine({ logger }),
  };
}

function endProgress(): void {
  if (progressShown) process.stderr.write('\r\x1b[K');
  progressShown = false;
}

try {
  await createProgram(version, context).parseAsync();
} catch (error) {
  endProgress();
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has said what is wrong already, or has shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const failure = asShoalError(error);
  process.stderr.write(`shoal-models: ${failure.message} (${failure.code})\n`);
  if (isShoalError(failure, 'defect') && failure.cause instanceof Error)
    process.stderr.write(`${failure.cause.stack}\n`);
  if (failure.code === 'aborted') return exitCodes.interrupted;
  return failure.blame === 'caller' ? exitCodes.usage : exitCodes.failed;
}
