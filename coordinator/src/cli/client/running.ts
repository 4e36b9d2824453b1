import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** What a running coordinator leaves for the commands of the same user: where it is, and a key of this run only. */
export interface RunningCoordinator {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  readonly url: string;
  readonly mqttUrls: readonly string[];
  readonly dataDirectory: string;
  /** Good until the coordinator stops. */
  readonly key: string;
}

const fileName = 'coordinator.json';

export function defaultDataDirectory(): string {
  return join(envPaths('shoal', { suffix: '' }).data, 'coordinator');
}

/** One file for each running coordinator of this user, wherever its data lies. */
function runningDirectory(): string {
  return join(envPaths('shoal', { suffix: '' }).data, 'running');
}

/** Tells the commands about a coordinator; both files are the user's alone (0600). Returns how to take it back. */
export async function announce(running: RunningCoordinator): Promise<() => Promise<void>> {
  const files = [join(running.dataDirectory, fileName), join(runningDirectory(), `${running.pid}.json`)];
  await mkdir(runningDirectory(), { recursive: true, mode: 0o700 });
  for (const file of files) {
    await writeFile(`${file}.new`, `${JSON.stringify(running, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  return async () => {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  };
}

/** The coordinator of a data directory, if it runs. */
export async function runningIn(dataDirectory: string): Promise<RunningCoordinator | undefined> {
  return readLive(join(dataDirectory, fileName));
}

/** All that run, newest first. Files of those that were killed are taken away. */
export async function allRunning(): Promise<RunningCoordinator[]> {
  const names = await readdir(runningDirectory()).catch(() => []);
  const found = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readLive(join(runningDirectory(), name))),
  );
  return found.filter((one) => one !== undefined).sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

async function readLive(file: string): Promise<RunningCoordinator | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const running = JSON.parse(text) as RunningCoordinator;
    if (await isStillThere(running)) return running;
  } catch {
    // Not a whole file: nobody is behind it.
  }
  await rm(file, { force: true });
  return undefined;
}

/** Whether the process that wrote the file still runs, and its number was not given to another since: after a reboot, or in a container. */
async function isStillThere({ pid, startedAt }: RunningCoordinator): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const processStartedMs = await startOfProcess(pid);
  return processStartedMs === undefined || processStartedMs <= Date.parse(startedAt) + clockSlackMs;
}

/** The kernel counts a start in hundredths of a second since boot; the two clocks may differ by this. */
const clockSlackMs = 2_000;

/** Wall time at which a process began (proc(5), field 22 of `stat`); `undefined` where there is no `/proc`. */
async function startOfProcess(pid: number): Promise<number | undefined> {
  const [stat, uptime] = await Promise.all(
    [`/proc/${pid}/stat`, '/proc/uptime'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  // The name in field 2 may hold blanks and brackets: count from its end.
  const ticks = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const upMs = Number(uptime?.split(' ')[0]) * 1_000;
  return stat && uptime ? Date.now() - upMs + ticks * 10 : undefined;
}
