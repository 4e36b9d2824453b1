import type { DatabaseSync } from 'node:sqlite';
import { ShoalError } from '@shoal/protocol';

/**
 * Each entry brings the file from one version to the next, for ever: entries are added, never changed. `PRAGMA user_version` says how many were
 * applied.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE received (sender TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, statement BLOB NOT NULL) STRICT;
  -- Beside the statements, so that payloads that are given up free whole pages and the file does not grow.
  CREATE TABLE outbox_payload (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, payload BLOB NOT NULL) STRICT;
  CREATE TABLE profiles (
    model TEXT NOT NULL, variant TEXT NOT NULL, engine TEXT NOT NULL, fingerprint TEXT NOT NULL, profile BLOB NOT NULL,
    PRIMARY KEY (model, variant, engine)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cameras (id TEXT PRIMARY KEY, assignment BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE camera_numbers (camera TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/** @throws `io.failed` for a file of a later version of the agent */
export function migrate(database: DatabaseSync, path: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new ShoalError('io.failed', `${path} was written by a later version of shoal-agent: update this one`, {
      path,
      version,
    });
  }
  for (const [index, statements] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${statements}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
