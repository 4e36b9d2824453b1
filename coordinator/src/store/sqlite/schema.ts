/**
 * The steps that lead from an empty file to today's tables. A step that was released is never changed: a new one is added, and
 * `PRAGMA user_version` counts those that were taken. Times are ms since the Unix epoch; digests lower-case hex.
 */
export const migrations: readonly string[] = [
  `
  -- Members of the fleet. Work is refused to one that is revoked; the row stays, so that its old results can be checked.
  CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,        -- JSON object
    joined_at_ms INTEGER NOT NULL,
    token_id TEXT NOT NULL,
    draining INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    capability TEXT NOT NULL,    -- JSON
    profiles TEXT NOT NULL       -- JSON array
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    labels TEXT NOT NULL         -- JSON object
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tasks (
    id TEXT PRIMARY KEY,         -- ids sort by time of creation
    state TEXT NOT NULL,
    spec TEXT NOT NULL,          -- JSON
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    reason TEXT,
    error_code TEXT,
    idempotency_key TEXT,
    attempts TEXT NOT NULL       -- JSON array
  ) STRICT, WITHOUT ROWID;
  -- Most tasks succeed: a list of those is quickest read from the table itself, and every index costs a page per commit.
  CREATE INDEX tasks_by_state ON tasks (state, id) WHERE state <> 'succeeded';
  CREATE INDEX tasks_by_end ON tasks (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
  CREATE UNIQUE INDEX tasks_by_key ON tasks (idempotency_key) WHERE idempotency_key IS NOT NULL;

  -- One row per task, and one per report of a camera: the unique indexes are what keeps a second one out. Nothing looks for one by its id.
  CREATE TABLE results (
    id TEXT NOT NULL,
    task_id TEXT,
    attempt_id TEXT,
    camera_id TEXT,
    report INTEGER,
    device TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    result BLOB NOT NULL,
    attestation BLOB NOT NULL,
    CHECK ((task_id IS NULL) = (attempt_id IS NULL) AND (camera_id IS NULL) = (report IS NULL)
      AND (task_id IS NULL) <> (camera_id IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX results_by_task ON results (task_id) WHERE task_id IS NOT NULL;
  CREATE UNIQUE INDEX results_by_report ON results (camera_id, device, report) WHERE camera_id IS NOT NULL;
  CREATE INDEX results_by_camera ON results (camera_id, id) WHERE camera_id IS NOT NULL;
  CREATE INDEX reports_by_time ON results (received_at_ms) WHERE camera_id IS NOT NULL;

  CREATE TABLE cameras (
    id TEXT PRIMARY KEY,
    spec TEXT NOT NULL,          -- JSON; may hold the source's credentials
    revision INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    device TEXT,
    former_devices TEXT NOT NULL,
    reason TEXT NOT NULL,
    refused TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE blobs (
    digest TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    last_used_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_use ON blobs (last_used_ms);

  -- Highest sequence believed from each device: what is not above it is a replay.
  CREATE TABLE received_sequences (
    sender TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The first sequence of this coordinator that was never set aside.
  CREATE TABLE own_sequence (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    next INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- What its owner allows of its battery, as JSON.
  ALTER TABLE devices ADD COLUMN power TEXT;
  `,
  `
  -- What a camera was given along with its device, and the devices that it went from and to, as JSON.
  ALTER TABLE cameras ADD COLUMN granted TEXT;
  ALTER TABLE cameras ADD COLUMN moves TEXT;
  `,
  `
  -- Whether what it says is sealed, as it said hello last.
  ALTER TABLE devices ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Devices that wait for approval, and tokens that ask for it.
  ALTER TABLE devices ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tokens ADD COLUMN approve INTEGER NOT NULL DEFAULT 0;
  -- A device that has a new key is a new device: the one that it was, that one's word for it (an envelope), and the one that it is now.
  ALTER TABLE devices ADD COLUMN predecessor TEXT;
  ALTER TABLE devices ADD COLUMN succession BLOB;
  ALTER TABLE devices ADD COLUMN successor TEXT;
  `,
  `
  -- Stays before a camera, from their start to their end. Ids sort by the time of the start.
  CREATE TABLE events (
    id TEXT PRIMARY KEY,
    camera_id TEXT NOT NULL,
    device TEXT NOT NULL,
    label TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    zones TEXT NOT NULL,         -- JSON object: ms by name
    seen TEXT NOT NULL           -- JSON: the rest of the record
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX events_by_camera ON events (camera_id, id);
  CREATE INDEX events_by_time ON events (started_at_ms);
  CREATE INDEX events_going_on ON events (id) WHERE ended_at_ms IS NULL;
  -- A key for sending the pictures of one camera.
  ALTER TABLE api_keys ADD COLUMN camera_id TEXT;
  `,
  `
  -- Who is told of events by requests to a URL.
  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,         -- ids sort by time of creation
    spec TEXT NOT NULL,          -- JSON; the URL may hold secrets
    secret BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL,
    off_at_ms INTEGER,
    off_reason TEXT
  ) STRICT, WITHOUT ROWID;
  `,
];
