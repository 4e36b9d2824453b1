import { fromHex, toHex } from '@shoal/protocol';
import type {
  Camera,
  DeviceRecord,
  EventRecord,
  ResultRecord,
  Task,
  TaskState,
  TokenRecord,
  WebhookRecord,
} from '../../domain/index.ts';
import type { ApiKeyRecord, BlobRecord } from '../store.ts';

/** One row of each table, as SQLite gives it, and the record it stands for. */

export interface DeviceRow {
  readonly id: string;
  readonly public_key: Uint8Array;
  readonly name: string;
  readonly labels: string;
  readonly joined_at_ms: number;
  readonly token_id: string;
  readonly draining: number;
  readonly revoked: number;
  readonly capability: string;
  readonly profiles: string;
  readonly power: string | null;
  readonly sealed: number;
  readonly pending: number;
  readonly predecessor: string | null;
  readonly succession: Uint8Array | null;
  readonly successor: string | null;
}

export function deviceOf(row: DeviceRow): DeviceRecord {
  return {
    id: row.id,
    publicKey: row.public_key,
    name: row.name,
    labels: JSON.parse(row.labels),
    joinedAtMs: row.joined_at_ms,
    tokenId: row.token_id,
    draining: row.draining === 1,
    revoked: row.revoked === 1,
    ...(row.sealed === 1 && { sealed: true }),
    capability: JSON.parse(row.capability),
    profiles: JSON.parse(row.profiles, (name, value) => (name === 'sha256' ? fromHex(value) : value)),
    ...(row.power !== null && { power: JSON.parse(row.power) }),
    ...(row.pending === 1 && { pending: true }),
    ...(row.predecessor !== null &&
      row.succession !== null && { follows: { device: row.predecessor, proof: row.succession } }),
    ...(row.successor !== null && { followedBy: row.successor }),
  };
}

export function profilesJson(profiles: DeviceRecord['profiles']): string {
  return JSON.stringify(profiles.map((profile) => ({ ...profile, sha256: toHex(profile.sha256) })));
}

export interface TokenRow {
  readonly id: string;
  readonly secret: Uint8Array;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly uses_left: number;
  readonly labels: string;
  readonly approve: number;
}

export function tokenOf(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    secret: row.secret,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    usesLeft: row.uses_left,
    approve: row.approve === 1,
    labels: JSON.parse(row.labels),
  };
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly sha256: Uint8Array;
  readonly created_at_ms: number;
  readonly camera_id: string | null;
}

export function apiKeyOf(row: ApiKeyRow): ApiKeyRecord {
  const { id, name, sha256, created_at_ms: createdAtMs, camera_id: camera } = row;
  return { id, name, sha256, createdAtMs, ...(camera !== null && { camera }) };
}

export interface WebhookRow {
  readonly id: string;
  readonly spec: string;
  readonly secret: Uint8Array;
  readonly created_at_ms: number;
  readonly off_at_ms: number | null;
  readonly off_reason: string | null;
}

export function webhookOf(row: WebhookRow): WebhookRecord {
  return {
    ...JSON.parse(row.spec),
    id: row.id,
    secret: row.secret,
    createdAtMs: row.created_at_ms,
    ...(row.off_at_ms !== null && { off: { atMs: row.off_at_ms, reason: row.off_reason ?? '' } }),
  };
}

export interface TaskRow {
  readonly id: string;
  readonly state: string;
  readonly spec: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly reason: string | null;
  readonly error_code: string | null;
  readonly idempotency_key: string | null;
  readonly attempts: string;
}

export function taskOf(row: TaskRow): Task {
  return {
    id: row.id,
    spec: JSON.parse(row.spec),
    state: row.state as TaskState,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    ...(row.ended_at_ms !== null && { endedAtMs: row.ended_at_ms }),
    attempts: JSON.parse(row.attempts),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.idempotency_key !== null && { idempotencyKey: row.idempotency_key }),
  };
}

export interface ResultRow {
  readonly id: string;
  readonly task_id: string | null;
  readonly attempt_id: string | null;
  readonly camera_id: string | null;
  readonly report: number | null;
  readonly device: string;
  readonly received_at_ms: number;
  readonly result: Uint8Array;
  readonly attestation: Uint8Array;
}

export function resultOf(row: ResultRow): ResultRecord {
  return {
    id: row.id,
    work:
      row.task_id === null
        ? { camera: row.camera_id ?? '', report: row.report ?? 0 }
        : { task: row.task_id, attempt: row.attempt_id ?? '' },
    device: row.device,
    receivedAtMs: row.received_at_ms,
    result: row.result,
    attestation: row.attestation,
  };
}

export interface CameraRow {
  readonly id: string;
  readonly spec: string;
  readonly revision: number;
  readonly created_at_ms: number;
  readonly device: string | null;
  readonly former_devices: string;
  readonly reason: string;
  readonly refused: string;
  readonly granted: string | null;
  readonly moves: string | null;
}

export function cameraOf(row: CameraRow): Camera {
  return {
    id: row.id,
    spec: JSON.parse(row.spec),
    revision: row.revision,
    createdAtMs: row.created_at_ms,
    ...(row.device !== null && { device: row.device }),
    formerDevices: JSON.parse(row.former_devices),
    reason: row.reason,
    refused: JSON.parse(row.refused),
    ...(row.granted !== null && { grant: JSON.parse(row.granted) }),
    ...(row.moves !== null && { moves: JSON.parse(row.moves) }),
  };
}

export interface EventRow {
  readonly id: string;
  readonly camera_id: string;
  readonly device: string;
  readonly label: string;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly zones: string;
  readonly seen: string;
}

export function eventOf(row: EventRow): EventRecord {
  return {
    ...JSON.parse(row.seen),
    id: row.id,
    camera: row.camera_id,
    device: row.device,
    label: row.label,
    startedAtMs: row.started_at_ms,
    ...(row.ended_at_ms !== null && { endedAtMs: row.ended_at_ms }),
    zones: JSON.parse(row.zones),
  };
}

export interface BlobRow {
  readonly digest: string;
  readonly size_bytes: number;
  readonly media_type: string;
  readonly last_used_ms: number;
}

export function blobOf(row: BlobRow): BlobRecord {
  return { digest: row.digest, sizeBytes: row.size_bytes, mediaType: row.media_type, lastUsedMs: row.last_used_ms };
}
