import type { CameraAssignment, SequenceStore, VariantProfile } from '@shoal/protocol';

/**
 * What an agent must still know after a power cut. Every method that returns a promise resolves once the change is durable; those that
 * read answer from memory or a local file at once. Adapters: SQLite on a device, memory in tests and the simulator; one suite for both.
 */
export interface AgentStore {
  readonly sequences: SequenceStore;
  readonly membership: MembershipStore;
  readonly outbox: OutboxStore;
  readonly profiles: ProfileStore;
  readonly cameras: CameraStore;
  /** Makes durable what waits for the next write, and lets go of the file. Twice is once. */
  close(): Promise<void>;
}

export interface PinnedCoordinator {
  /** Raw Ed25519 public key: nobody else is ever believed to be the coordinator. */
  readonly publicKey: Uint8Array;
  /** Where to reach it, best first: `mqtt://host:port`. */
  readonly addresses: readonly string[];
  /** Nothing is said to it, and believed of it, that is not sealed. */
  readonly seal?: boolean;
}

export interface MembershipStore {
  pinned(): PinnedCoordinator | undefined;
  /** Another coordinator than before takes its cameras with it: they were the old one's to give. */
  pin(coordinator: PinnedCoordinator): Promise<void>;
  /** When the coordinator last said welcome, wall clock in ms. */
  welcomedAtMs(): number | undefined;
  recordWelcome(atMs: number): Promise<void>;
  /** What this device shows to others of its fleet, as the coordinator gave it last. */
  shown(): Uint8Array | undefined;
  recordShown(membership: Uint8Array): Promise<void>;
  /** Runtimes and decoders found by the last probe: slow to find, and the same at the next start. */
  probed(): ProbedSoftware | undefined;
  recordProbed(probed: ProbedSoftware): Promise<void>;
}

/** What has to be tried out, in child processes, to be known. */
export interface ProbedSoftware {
  /** Software and hardware that it was found on; it is tried again when that changes. */
  readonly fingerprint: string;
  readonly runtimes: readonly string[];
  readonly decoders: readonly string[];
  readonly taskSlots: number;
}

export type OutboxKind = 'task-outcome' | 'camera-report';

/** A result that waits for the coordinator's acknowledgement. */
export interface OutboxEntry {
  /** Counts up; the order of delivery. */
  readonly id: number;
  readonly kind: OutboxKind;
  /** The encoded message without its `result`: what is never given up. */
  readonly statement: Uint8Array;
  /** The `result` of the message; empty when it was given up for room. */
  readonly payload: Uint8Array;
}

export interface OutboxTotals {
  readonly count: number;
  readonly sizeBytes: number;
}

export interface OutboxStore {
  totals(): OutboxTotals;
  /** The highest id ever appended and not forgotten; 0 for none. */
  lastId(): number;
  /** All or nothing. @throws `io.disk-full`, `io.failed` */
  append(entries: readonly OutboxEntry[]): Promise<void>;
  /** Entries with a higher id than `afterId`, oldest first. */
  read(afterId: number, limit: number): Promise<readonly OutboxEntry[]>;
  remove(ids: readonly number[]): Promise<void>;
  /** Gives up the payloads of the oldest camera reports until `sizeBytes` are free or none is left. */
  shedPayloads(sizeBytes: number): Promise<{ readonly reports: number; readonly sizeBytes: number }>;
}

export interface ProfileRecord {
  readonly profile: VariantProfile;
  /** Software and hardware that it was measured with. */
  readonly fingerprint: string;
}

export interface ProfileStore {
  all(): readonly ProfileRecord[];
  /** One record per model, variant and engine: a newer one takes the place of the older. */
  put(record: ProfileRecord): Promise<void>;
}

export interface CameraStore {
  all(): readonly CameraAssignment[];
  put(assignment: CameraAssignment): Promise<void>;
  remove(cameraId: string): Promise<void>;
  /** Sets `count` report numbers aside for a camera and returns the first, 1 or more. They are never given out again. */
  reserveNumbers(cameraId: string, count: number): Promise<number>;
}
