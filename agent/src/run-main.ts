import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asShoalError, createLogger, decodeJoinToken, isShoalError, type ShoalError } from '@shoal/protocol';
import { consoleLogSink } from '@shoal/protocol/real';
import { coordinatorOf, openDataFolder, prepareNewKey, type RunFlags, software } from './cli/index.ts';
import { type Agent, createAgent } from './compose.ts';
import { openPorts } from './ports.ts';
import { serviceNotice, writeRunRecord } from './service/real/index.ts';

export interface RunOptions extends RunFlags {
  /** To join with; a device that joined before needs none. */
  readonly token?: string;
  /** Ends when the coordinator has welcomed it. */
  readonly untilWelcome?: boolean;
}

/** Runs an agent until `interrupted`, then drains it, or until its coordinator has no place for it. Returns the exit code. */
export async function run(options: RunOptions, interrupted: AbortSignal): Promise<number> {
  const logger = createLogger(consoleLogSink(options.logFormat), options.logLevel);
  const token = options.token === undefined ? undefined : decodeJoinToken(options.token);
  const folder = await openDataFolder(options.data);
  try {
    const { identity, store } = folder;
    const { key: coordinator, addresses, seal } = await coordinatorOf(store, token);
    logger.info('agent starts', { device: identity.id, coordinator: addresses[0], data: folder.path });
    const ports = await openPorts({
      identity,
      coordinator,
      addresses,
      store,
      logger,
      dataFolder: folder.path,
      software,
      name: options.name,
      uploadBytesPerSecond: options.uploadBytesPerSecond,
      succession: folder.succession,
    });
    const agent = createAgent({ coordinator, software, seal, ...(token && { token }) }, ports);
    const run = { software, startedAtMs: ports.clock.nowMs(), joinedAtMs: null };
    await writeRunRecord(folder.path, run);
    const notice = serviceNotice({ clock: ports.clock, logger, environment: process.env });
    await agent.start(interrupted);
    await notice.ready('waits for its coordinator');
    agent.joined().then(
      () => {
        afterStart();
        notice.status('joined');
        const joined = writeRunRecord(folder.path, { ...run, joinedAtMs: ports.clock.nowMs() });
        joined.catch((error: unknown) => logger.warn('that it joined was not noted', { error: String(error) }));
      },
      () => {},
    );
    const end = await Promise.race([
      whenInterrupted(interrupted),
      whenRevoked(agent),
      ...(token || folder.succession ? [whenRefused(agent)] : []),
      ...(options.untilWelcome ? [whenWelcome(agent)] : []),
    ]);
    notice.stopping();
    if (end === 'interrupted' || end === 'welcome') {
      logger.info('draining', { running: agent.status().running, outbox: agent.status().outbox.waiting });
      await agent.drain(AbortSignal.timeout(20_000));
    }
    await agent.stop();
    if (end === 'interrupted' || end === 'welcome') return 0;
    await folder.succession?.undo();
    // That it was revoked, the agent has said.
    if (end !== 'revoked') {
      const kept = folder.succession ? '. The new key is not taken: the device keeps its old one' : '';
      process.stderr.write(`shoal-agent: ${end.message}${kept}\n`);
    }
    return 1;
  } finally {
    await folder.close();
  }
}

/** Gives the device a new key, and ends when its coordinator has taken it. Returns the exit code. */
export async function rekey(flags: RunFlags, interrupted: AbortSignal): Promise<number> {
  await prepareNewKey(flags.data);
  try {
    return await run({ ...flags, untilWelcome: true }, interrupted);
  } catch (error) {
    if (!isShoalError(error, 'conflict')) throw error;
    process.stderr.write('shoal-agent: an agent runs here. It takes its new key at its next start: restart it\n');
    return 0;
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

async function whenInterrupted(interrupted: AbortSignal): Promise<'interrupted'> {
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  return 'interrupted';
}

async function whenRevoked(agent: Agent): Promise<'revoked'> {
  await agent.revoked();
  return 'revoked';
}

async function whenWelcome(agent: Agent): Promise<'welcome'> {
  const { promise: never } = Promise.withResolvers<never>();
  // Why it is not welcome, others say.
  await agent.joined().catch(() => never);
  return 'welcome';
}

/** A token that is refused ends a join. A device that joined before stays: its coordinator may know it again. */
function whenRefused(agent: Agent): Promise<ShoalError> {
  return new Promise((resolve) => {
    agent.joined().catch((thrown: unknown) => {
      const error = asShoalError(thrown);
      // One that was revoked has work to end first.
      if (error.code !== 'device.revoked') resolve(error);
    });
  });
}
