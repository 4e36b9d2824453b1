import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, delay, ShoalError } from '@shoal/protocol';
import type { ServiceManager } from './control.ts';
import { type RunRecord, readRunRecord } from './run-record.ts';
import type { Versions } from './versions.ts';

/** How long a new version has to join, ms. */
const trialMs = 60_000;
const lookEveryMs = 200;

/** A version that runs and is not kept yet. */
interface Trial {
  readonly from: string;
  readonly to: string;
  readonly sinceMs: number;
}

/** How the last upgrade ended. */
export interface UpgradeOutcome {
  readonly from: string;
  readonly to: string;
  readonly kept: boolean;
  /** Why the version before runs again. */
  readonly why?: string;
}

export interface UpgradeDeps {
  /** Folders as they are seen from here. */
  readonly home: string;
  readonly data: string;
  readonly versions: Versions;
  readonly manager: ServiceManager;
  readonly clock: Clock;
}

/**
 * Puts a version in the place of the one that runs, on trial. What is noted is on the disk before the new one is started: whatever happens from then on,
 * the settling that the version before does, now or when the machine starts again, ends the trial.
 */
export async function beginTrial({ home, versions, manager, clock }: UpgradeDeps, to: string): Promise<void> {
  const from = await versions.linked('current');
  if (from === undefined) throw new ShoalError('not-found', `no version is installed in ${home}`);
  if (from === to) throw new ShoalError('conflict', `${to} is the version that is installed already`);
  if (await readTrial(home)) throw new ShoalError('conflict', 'another upgrade is on trial: wait a minute');
  await versions.point('previous', from);
  await rm(join(home, 'upgrade.json'), { force: true });
  await writeDurably(join(home, 'trial.json'), { from, to, sinceMs: clock.nowMs() } satisfies Trial);
  await versions.point('current', to);
  await manager.restart();
}

/** Waits until the version on trial has joined, and keeps it; else goes back. Resolves at once when none is on trial. */
export async function settleTrial(deps: UpgradeDeps, patienceMs = trialMs): Promise<UpgradeOutcome | undefined> {
  const { home, data, versions, manager, clock } = deps;
  const trial = await readTrial(home);
  if (!trial) return undefined;
  const { from, to } = trial;
  const endMs = clock.monotonicMs() + patienceMs;
  let seen: RunRecord | undefined;
  while (clock.monotonicMs() < endMs) {
    const record = await readRunRecord(data);
    if (record?.software === `shoal-agent/${to}` && record.startedAtMs >= trial.sinceMs) seen = record;
    if (seen?.joinedAtMs) break;
    await delay(clock, 'service/trial', lookEveryMs);
  }
  const kept = Boolean(seen?.joinedAtMs);
  if (!kept) await versions.point('current', from);
  // Over before the restart, which would begin another settling.
  await rm(join(home, 'trial.json'), { force: true });
  if (!kept) {
    await manager.restart();
    await versions.remove(to);
  }
  const why = seen ? 'it started, and the coordinator did not welcome it' : 'it did not start';
  const outcome: UpgradeOutcome = { from, to, kept, ...(!kept && { why }) };
  await writeDurably(join(home, 'upgrade.json'), outcome);
  return outcome;
}

/** The outcome of the upgrade that was begun last, once there is one. */
export async function readOutcome(home: string): Promise<UpgradeOutcome | undefined> {
  return readJson(join(home, 'upgrade.json'));
}

async function readTrial(home: string): Promise<Trial | undefined> {
  return readJson(join(home, 'trial.json'));
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and still there after the power was cut. */
export async function writeDurably(path: string, value: object): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const made = `${path}.new`;
  const file = await open(made, 'w', 0o644);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(made, path);
}
