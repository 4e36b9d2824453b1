import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Camera, DeviceRecord, EventRecord, ResultRecord, Task, WebhookRecord } from '../../domain/index.ts';
import type { StoreWrite } from '../store-write.ts';
import { profilesJson } from './rows.ts';

/** Writes changes, each with a statement that was prepared once. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareAll>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepareAll(database);
  }

  /** All or nothing; in the log when it returns. */
  transaction(writes: readonly StoreWrite[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const write of writes) this.#write(write);
      this.#database.exec('COMMIT');
    } catch (error) {
      // SQLite has rolled back by itself when the disk was full.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #write(write: StoreWrite): void {
    const sql = this.#statements;
    switch (write.kind) {
      case 'task':
        putTask(sql.task, write.task);
        return;
      case 'result':
        putResult(sql.result, write.result);
        return;
      case 'device':
        putDevice(sql.device, write.device);
        return;
      case 'token': {
        const { id, secret, createdAtMs, expiresAtMs, usesLeft, labels, approve } = write.token;
        sql.token.run(id, secret, createdAtMs, expiresAtMs, usesLeft, JSON.stringify(labels), Number(approve));
        return;
      }
      case 'token-removed':
        sql.tokenRemoved.run(write.id);
        return;
      case 'event':
        putEvent(sql.event, write.event);
        return;
      case 'camera':
        putCamera(sql.camera, write.camera);
        return;
      case 'camera-removed':
        sql.cameraRemoved.run(write.id);
        return;
      case 'api-key': {
        const { id, name, sha256, createdAtMs, camera = null } = write.apiKey;
        sql.apiKey.run(id, name, sha256, createdAtMs, camera);
        return;
      }
      case 'api-key-removed':
        sql.apiKeyRemoved.run(write.id);
        return;
      case 'webhook':
        putWebhook(sql.webhook, write.webhook);
        return;
      case 'webhook-removed':
        sql.webhookRemoved.run(write.id);
        return;
      case 'blob': {
        const { digest, sizeBytes, mediaType, lastUsedMs } = write.blob;
        sql.blob.run(digest, sizeBytes, mediaType, lastUsedMs);
        return;
      }
      case 'blob-removed':
        sql.blobRemoved.run(write.digest);
        return;
      case 'sequences-reserved':
        sql.ownSequence.run(write.next);
        return;
      case 'sequence-received':
        sql.received.run(write.sender, write.sequence);
        return;
    }
  }
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    device: prepare('INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    token: prepare('INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)'),
    tokenRemoved: prepare('DELETE FROM tokens WHERE id = ?'),
    task: prepare(
      `INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at_ms = excluded.ended_at_ms,
         reason = excluded.reason, error_code = excluded.error_code, attempts = excluded.attempts`,
    ),
    result: prepare('INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    event: prepare(
      `INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET label = excluded.label, ended_at_ms = excluded.ended_at_ms, zones = excluded.zones,
         seen = json_set(excluded.seen, '$.firstResult', json_extract(events.seen, '$.firstResult'))
       WHERE device = excluded.device AND (events.ended_at_ms IS NULL OR excluded.ended_at_ms IS NOT NULL)`,
    ),
    camera: prepare('INSERT OR REPLACE INTO cameras VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    cameraRemoved: prepare('DELETE FROM cameras WHERE id = ?'),
    apiKey: prepare('INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?)'),
    apiKeyRemoved: prepare('DELETE FROM api_keys WHERE id = ?'),
    webhook: prepare('INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)'),
    webhookRemoved: prepare('DELETE FROM webhooks WHERE id = ?'),
    blob: prepare('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)'),
    blobRemoved: prepare('DELETE FROM blobs WHERE digest = ?'),
    ownSequence: prepare('INSERT OR REPLACE INTO own_sequence VALUES (1, ?)'),
    received: prepare('INSERT OR REPLACE INTO received_sequences VALUES (?, ?)'),
  };
}

function putTask(statement: StatementSync, task: Task): void {
  statement.run(
    task.id,
    task.state,
    JSON.stringify(task.spec),
    task.createdAtMs,
    task.expiresAtMs,
    task.endedAtMs ?? null,
    task.reason ?? null,
    task.errorCode ?? null,
    task.idempotencyKey ?? null,
    JSON.stringify(task.attempts),
  );
}

function putResult(
  statement: StatementSync,
  { id, work, device, receivedAtMs, result, attestation }: ResultRecord,
): void {
  const ofTask = 'task' in work;
  statement.run(
    id,
    ofTask ? work.task : null,
    ofTask ? work.attempt : null,
    ofTask ? null : work.camera,
    ofTask ? null : work.report,
    device,
    receivedAtMs,
    result,
    attestation,
  );
}

function putDevice(statement: StatementSync, device: DeviceRecord): void {
  statement.run(
    device.id,
    device.publicKey,
    device.name,
    JSON.stringify(device.labels),
    device.joinedAtMs,
    device.tokenId,
    Number(device.draining),
    Number(device.revoked),
    JSON.stringify(device.capability),
    profilesJson(device.profiles),
    device.power ? JSON.stringify(device.power) : null,
    Number(device.sealed ?? false),
    Number(device.pending ?? false),
    device.follows?.device ?? null,
    device.follows?.proof ?? null,
    device.followedBy ?? null,
  );
}

function putEvent(statement: StatementSync, event: EventRecord): void {
  const { id, camera, device, label, startedAtMs, endedAtMs = null, zones, ...seen } = event;
  const whole = (ms: number) => Math.round(ms);
  statement.run(
    id,
    camera,
    device,
    label,
    whole(startedAtMs),
    endedAtMs === null ? null : whole(endedAtMs),
    JSON.stringify(zones),
    JSON.stringify(seen),
  );
}

function putWebhook(statement: StatementSync, { id, secret, createdAtMs, off, ...spec }: WebhookRecord): void {
  statement.run(id, JSON.stringify(spec), secret, createdAtMs, off?.atMs ?? null, off?.reason ?? null);
}

function putCamera(statement: StatementSync, camera: Camera): void {
  statement.run(
    camera.id,
    JSON.stringify(camera.spec),
    camera.revision,
    camera.createdAtMs,
    camera.device ?? null,
    JSON.stringify(camera.formerDevices),
    camera.reason,
    JSON.stringify(camera.refused),
    camera.grant ? JSON.stringify(camera.grant) : null,
    camera.moves ? JSON.stringify(camera.moves) : null,
  );
}
