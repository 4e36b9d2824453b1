import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Clock, delay, every, type Random } from '@shoal/protocol';

const pollMs = 100;
/** A holder touches its lock this often ... */
const heartbeatMs = 2_000;
/** ... and is taken for dead when it has not for so long (another host, or a process id that was given away again). */
const staleAfterMs = 15_000;

export interface FileLockDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Holds a lock between processes: a file that only one of them can create. A lock whose process is gone is taken over.
 * @returns a function that gives the lock back.
 */
export async function acquireFileLock(
  deps: FileLockDeps,
  path: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const owner = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    token: Buffer.from(deps.random.bytes(8)).toString('hex'),
  });
  while (!(await create(path, owner))) {
    const holder = await readFile(path, 'utf8').catch(() => undefined);
    if (holder !== undefined && (await isDead(deps.clock, path, holder))) await takeAway(path, holder, deps.random);
    else await delay(deps.clock, 'lock between downloads', pollMs, signal);
  }
  const stopHeartbeat = every(deps.clock, 'heartbeat of a lock', heartbeatMs, () => {
    const now = new Date(deps.clock.nowMs());
    utimes(path, now, now).catch(() => {});
  });
  return async () => {
    stopHeartbeat();
    if ((await readFile(path, 'utf8').catch(() => undefined)) === owner) await rm(path, { force: true });
  };
}

async function create(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(owner);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isDead(clock: Clock, path: string, holder: string): Promise<boolean> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
  if (clock.nowMs() - mtimeMs > staleAfterMs) return true;
  try {
    const { host, pid } = JSON.parse(holder) as { host: unknown; pid: unknown };
    return host === hostname() && typeof pid === 'number' && !isRunning(pid);
  } catch {
    // Created a moment ago and not written yet, or cut short: only its age counts.
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a dead holder's lock, unless somebody else did so first and the file is already a new holder's. */
async function takeAway(path: string, holder: string, random: Random): Promise<void> {
  const aside = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== holder) await link(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
