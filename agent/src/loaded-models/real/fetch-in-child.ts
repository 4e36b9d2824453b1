import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asShoalError, type ErrorFacts, isErrorCode, type Logger, type LogRecord, ShoalError } from '@shoal/protocol';
import type { ModelShelf } from '../model-shelf.ts';

/** What the process that fetches tells the agent. An error does not keep its class on the way: its parts are sent. */
export type FetchMessage =
  | { readonly kind: 'log'; readonly record: LogRecord }
  | { readonly kind: 'fetched' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly facts: ErrorFacts };

interface Deps {
  readonly shelf: ModelShelf;
  readonly logger: Logger;
  /** The script that fetches, for tests. */
  readonly script?: URL;
}

/**
 * The shelf, with what is not on it yet fetched and converted in a process of its own: TLS, archives and the converter leave 22 to 45 MB behind in a
 * process that ran them once, and an agent stays for months.
 */
export function fetchingInChild({ shelf, logger, script = besideThePorts('fetch-main') }: Deps): ModelShelf {
  return {
    ...shelf,
    async resolve(model, variant, signal) {
      if (shelf.knows(model, variant) && !(await isHeld(shelf, model, variant))) {
        await fetchInChild(script, [model, variant], logger, signal);
      }
      return shelf.resolve(model, variant, signal);
    },
  };
}

async function isHeld(shelf: ModelShelf, model: string, variant: string): Promise<boolean> {
  const held = await shelf.held();
  return held.some((one) => {
    const wanted = variant === '' ? one.manifest.variants[0]?.name : variant;
    return one.manifest.name === model && one.variant.name === wanted;
  });
}

/** @throws what fetching throws, `aborted`; `io.failed` when the process ends and has said nothing */
function fetchInChild(script: URL, args: readonly string[], logger: Logger, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(script), args, { signal, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (message: FetchMessage) => {
      if (message.kind === 'log') logger[message.record.level](message.record.message, message.record.fields);
      else if (message.kind === 'fetched') resolve();
      else reject(received(message));
    });
    child.on('error', (error) => reject(asShoalError(signal.aborted ? signal.reason : error, 'io.failed')));
    child.on('exit', (code, killedBy) =>
      reject(new ShoalError('io.failed', `the process that fetches models ended by ${killedBy ?? `code ${code}`}`)),
    );
  });
}

function received({ code, message, facts }: FetchMessage & { readonly kind: 'failed' }): ShoalError {
  return new ShoalError(isErrorCode(code) ? code : 'defect', message, facts);
}

/** In a bundle that is this file's folder, in the sources and in what tsc built of them two up. */
function besideThePorts(name: string): URL {
  const file = `${name}${extname(import.meta.url)}`;
  const bundled = new URL(`./${file}`, import.meta.url);
  return existsSync(bundled) ? bundled : new URL(`../../${file}`, import.meta.url);
}
