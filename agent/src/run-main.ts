import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asShoalError, createLogger, decodeJoinToken } from '@shoal/protocol';
import { consoleLogSink } from '@shoal/protocol/real';
import { coordinatorOf, openDataFolder, type RunFlags, software } from './cli/index.ts';
import { createAgent } from './compose.ts';
import { openPorts } from './ports.ts';

export interface RunOptions extends RunFlags {
  /** To join with; a device that joined before needs none. */
  readonly token?: string;
}

/** Runs an agent until `interrupted`, then drains it. Returns the exit code. */
export async function run(options: RunOptions, interrupted: AbortSignal): Promise<number> {
  const logger = createLogger(consoleLogSink(options.logFormat), options.logLevel);
  const token = options.token === undefined ? undefined : decodeJoinToken(options.token);
  const folder = await openDataFolder(options.data);
  try {
    const { identity, store } = folder;
    const { key: coordinator, addresses } = await coordinatorOf(store, token);
    logger.info('agent starts', { device: identity.id, coordinator: addresses[0], data: folder.path });
    const ports = await openPorts({
      identity,
      coordinator: coordinator.id,
      addresses,
      store,
      logger,
      dataFolder: folder.path,
      software,
      name: options.name,
    });
    const agent = createAgent({ coordinator, software, ...(token && { token }) }, ports);
    await agent.start(interrupted);
    agent.joined().then(afterStart, () => {});
    const refused = await refusalOrInterruption(agent.joined(), token !== undefined, interrupted);
    if (!refused) {
      logger.info('draining', { running: agent.status().running, outbox: agent.status().outbox.waiting });
      await agent.drain(AbortSignal.timeout(20_000));
    }
    await agent.stop();
    if (!refused) return 0;
    process.stderr.write(`shoal-agent: ${refused.message}\n`);
    return 1;
  } finally {
    await folder.close();
  }
}

/** The other half of what `bin/shoal-agent.js` begins. */
function afterStart(): void {
  // Now rather than at the end: a device is more often switched off than stopped.
  flushCompileCache();
  // After that, since what is compiled under other flags is not taken again.
  setFlagsFromString('--maglev');
  // What starting needed goes, 3 MB: one that waits for work would not come to it for hours. 30 ms, in which nothing else is to be done yet.
  const gc = runInNewContext('globalThis.gc') as typeof globalThis.gc;
  gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** A token that is refused ends a join. A device that joined before stays: its place may be given back to it. */
async function refusalOrInterruption(joined: Promise<unknown>, joining: boolean, interrupted: AbortSignal) {
  const end = new Promise<undefined>((resolve) => {
    if (interrupted.aborted) resolve(undefined);
    interrupted.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const refusal = joined.then(
    () => end,
    (error: unknown) => (joining ? asShoalError(error) : end),
  );
  return Promise.race([refusal, end]);
}
