import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What an agent notes of the run it is in, for those who look at it from outside: `status`, and an upgrade that waits for it. */
export interface RunRecord {
  /** For example `shoal-agent/0.1.0`. */
  readonly software: string;
  readonly startedAtMs: number;
  /** When the coordinator welcomed it in this run. */
  readonly joinedAtMs: number | null;
}

const fileName = 'run.json';

/** Whole or not at all: it is read while it is written. */
export async function writeRunRecord(dataFolder: string, record: RunRecord): Promise<void> {
  const path = join(dataFolder, fileName);
  await writeFile(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** `undefined` when no agent has run on the folder, or none that notes it. */
export async function readRunRecord(dataFolder: string): Promise<RunRecord | undefined> {
  try {
    const { software, startedAtMs, joinedAtMs } = JSON.parse(await readFile(join(dataFolder, fileName), 'utf8'));
    return typeof software === 'string' && typeof startedAtMs === 'number'
      ? { software, startedAtMs, joinedAtMs: typeof joinedAtMs === 'number' ? joinedAtMs : null }
      : undefined;
  } catch {
    return undefined;
  }
}
