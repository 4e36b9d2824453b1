import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, delay, ShoalError } from '@shoal/protocol';
import { type Layout, serviceName } from '../layout.ts';

/** What starts and stops the agent. */
export interface ServiceManager {
  /** Reads its files anew, starts the agent now and at each start of the machine. */
  enable(): Promise<void>;
  /** Stops it and forgets it. Its files are still there. */
  disable(): Promise<void>;
  /** After the files are gone. */
  forget(): Promise<void>;
  restart(): Promise<void>;
  /** Has the upgrade that is on trial ended by a process that outlives this one. */
  settle(): Promise<void>;
  running(): Promise<boolean>;
}

/** How long an agent may take to end that has been told to: it lets its work finish and delivers what it can. */
const longestStopMs = 60_000;
const lookEveryMs = 50;

interface ManagerDeps {
  /** Where a path of the layout is, seen from here. */
  at(path: string): string;
  readonly clock: Clock;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

export function serviceManager(layout: Layout, deps: ManagerDeps): ServiceManager {
  switch (layout.kind) {
    case 'systemd':
      return systemd;
    case 'launchd':
      return launchd(layout);
    case 'termux':
      return termux(layout, deps);
  }
}

const systemd: ServiceManager = {
  async enable() {
    await call('systemctl', 'daemon-reload');
    await call('systemctl', 'enable', `${serviceName}-trial.service`);
    await call('systemctl', 'enable', '--now', serviceName);
  },
  async disable() {
    await call('systemctl', 'disable', '--now', serviceName, `${serviceName}-trial.service`);
  },
  forget: () => call('systemctl', 'daemon-reload'),
  restart: () => call('systemctl', 'restart', serviceName),
  settle: () => call('systemctl', 'start', '--no-block', `${serviceName}-trial.service`),
  running: () =>
    call('systemctl', 'is-active', '--quiet', serviceName).then(
      () => true,
      () => false,
    ),
};

function launchd({ units }: Layout): ServiceManager {
  const jobs = [units.agent, units.trial].filter((path) => path !== undefined);
  return {
    async enable() {
      for (const path of jobs) await call('launchctl', 'bootstrap', 'system', path);
    },
    async disable() {
      for (const path of jobs) await call('launchctl', 'bootout', 'system', path);
    },
    forget: async () => {},
    restart: () => call('launchctl', 'kickstart', '-k', 'system/org.shoal.agent'),
    settle: () => call('launchctl', 'kickstart', 'system/org.shoal.agent-trial'),
    running: () =>
      call('launchctl', 'print', 'system/org.shoal.agent').then(
        () => true,
        () => false,
      ),
  };
}

/** Without a service manager: the script that Termux:Boot runs keeps the agent running, and notes its process. */
function termux({ home, units }: Layout, { at, clock, signal }: ManagerDeps): ServiceManager {
  const pid = async () => Number(await readFile(join(at(home), 'agent.pid'), 'utf8').catch(() => Number.NaN));
  const alive = async () => {
    const number = await pid();
    try {
      return number > 0 && process.kill(number, 0);
    } catch {
      return false;
    }
  };
  const apart = (command: string, ...args: string[]) =>
    spawn(command, args, { detached: true, stdio: 'ignore' }).unref();
  const start = async () => apart(at(units.agent ?? ''));
  const stop = async () => {
    if (await alive()) process.kill(await pid(), 'SIGTERM');
    // The script waits for the agent.
    const untilMs = clock.monotonicMs() + longestStopMs;
    while (await alive()) {
      if (clock.monotonicMs() >= untilMs) {
        const number = await pid();
        throw new ShoalError(
          'timeout',
          `the agent (process ${number}) did not end within ${longestStopMs / 1_000} s: kill -9 ${number}`,
        );
      }
      await delay(clock, 'service/stop', lookEveryMs, signal);
    }
  };
  return {
    enable: start,
    disable: stop,
    forget: async () => {},
    async restart() {
      await stop();
      await start();
    },
    // The script has it done when it starts and there is something to settle.
    settle: async () => {},
    running: alive,
  };
}

async function call(command: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(command, args).catch((cause: Error & { stderr?: string }) => {
    const said = cause.stderr?.trim() || cause.message;
    throw new ShoalError('io.failed', `${command} ${args.join(' ')} failed: ${said}`, {}, { cause });
  });
}
