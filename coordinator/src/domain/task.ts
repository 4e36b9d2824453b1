import type { ObjectCount } from '@shoal/models/manifest';
import type { DecodeLevel, Json, PeerId } from '@shoal/protocol';

/** Bytes by their SHA-256, kept by the coordinator until nothing needs them. */
export interface BlobRef {
  /** Lower-case hex SHA-256. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
}

export interface TaskSpec {
  /** Name of the pipeline: `detect`, `classify`, `noop`. */
  readonly pipeline: string;
  /** `undefined`: the pipeline's default model. */
  readonly model?: string;
  /** `undefined`: whichever the chosen device measured as fastest. */
  readonly variant?: string;
  /** `undefined` only for `noop`. */
  readonly input?: BlobRef;
  readonly parameters: { readonly [name: string]: Json };
  /** Time from submission within which the result must be there, ms. */
  readonly deadlineMs: number;
  /** Only devices with all of these labels. */
  readonly labels: { readonly [name: string]: string };
  /** Only this device. */
  readonly device?: PeerId;
  /** Accuracy that may be given up against the model that is asked for, 0..1; with it, other models of the pipeline may be run. */
  readonly accuracyLoss?: number;
  /** How many things are expected on the picture: models differ in how well they find few and many. */
  readonly objects?: ObjectCount;
  /** May take batteries down to the critical floor. */
  readonly critical?: boolean;
  /** Only devices with a GPU, NPU or TPU. */
  readonly accelerator?: boolean;
  readonly maxAttempts: number;
}

/**
 * - `queued`: durable, waits for a device.
 * - `running`: an attempt is with a device.
 * - `succeeded`, `failed`, `expired`, `cancelled`: ended, for good.
 */
export type TaskState = 'queued' | 'running' | 'succeeded' | 'failed' | 'expired' | 'cancelled';

export const finalTaskStates: ReadonlySet<TaskState> = new Set(['succeeded', 'failed', 'expired', 'cancelled']);

export interface Task {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly state: TaskState;
  readonly createdAtMs: number;
  /** When the deadline passes, coordinator wall clock. */
  readonly expiresAtMs: number;
  readonly endedAtMs?: number;
  readonly attempts: readonly Attempt[];
  /** Why it ended as it did, or why it still waits, for a person. */
  readonly reason?: string;
  /** Code of the error catalogue when `failed` or `expired`. */
  readonly errorCode?: string;
  readonly idempotencyKey?: string;
}

/**
 * - `offered`: sent to the device, not answered yet.
 * - `accepted`: the device has it.
 * - `succeeded`, `failed`: the device said so.
 * - `refused`: the device would not take it. `lost`: its lease ran out. `cancelled`: the task ended another way.
 */
export type AttemptState = 'offered' | 'accepted' | 'succeeded' | 'failed' | 'refused' | 'lost' | 'cancelled';

export interface Attempt {
  readonly id: string;
  readonly device: PeerId;
  readonly model?: string;
  readonly variant?: string;
  readonly state: AttemptState;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly reason?: string;
  readonly placement: Placement;
  readonly timings?: AttemptTimings;
}

export interface AttemptTimings {
  readonly queuedMs: number;
  readonly transferMs: number;
  readonly loadMs: number;
  readonly decodeMs: number;
  readonly inferenceMs: number;
  readonly totalMs: number;
}

/** Why this device: the candidates with their expected times, and the ones refused with the reason. Kept with the attempt. */
export interface Placement {
  readonly strategy: string;
  readonly chosen: PlacementCandidate;
  /** It was decided together with other work, which needs what this alone would have got. */
  readonly together?: true;
  /** The best of the others; not all of a large fleet. */
  readonly others: readonly PlacementCandidate[];
  readonly refused: readonly PlacementRefusal[];
  /** How many devices were looked at. */
  readonly considered: number;
}

export interface PlacementCandidate {
  readonly device: PeerId;
  readonly model?: string;
  readonly variant?: string;
  /** Of the model, 0..1. */
  readonly accuracy?: number;
  /** The terms of the expected completion time, ms: means. */
  readonly queueMs: number;
  readonly transferMs: number;
  readonly loadMs: number;
  /** Decoding the input, where it is known, and one run. */
  readonly inferenceMs: number;
  readonly totalMs: number;
  /** What the whole does not exceed in 95 of 100 cases. */
  readonly p95Ms: number;
  /** What it draws above idling, joules. */
  readonly energyJ: number;
  readonly cost: PlacementCost;
  /** It would be late by what its device says of itself; no run has shown that yet, and it is tried. */
  readonly trial?: boolean;
  /** What its model takes there was not measured. */
  readonly guessed?: boolean;
  /** Of a camera: how it would be decoded there, and how many frames a second it would get. */
  readonly decode?: DecodeLevel;
  readonly fps?: number;
}

/** The terms of what a placement costs, each weighed already, in joules of the mains; and their sum. */
export interface PlacementCost {
  /** Being late, by how much and how surely. */
  readonly lateness: number;
  readonly time: number;
  /** Joules at the price that they have on that device now. */
  readonly energy: number;
  /** Accuracy given up against the best choice. */
  readonly accuracy: number;
  /** An accelerator that others may need. */
  readonly scarcity: number;
  /** A camera that is decoded at a lower level than it might be. */
  readonly decode: number;
  /** Moving work that runs already. */
  readonly move: number;
  readonly total: number;
}

/** Every reason for which a device cannot take a piece of work. `declined`: the device itself said no, a moment ago. */
export type RefusalReason =
  | 'unreachable'
  | 'draining'
  | 'labels'
  | 'other-device'
  | 'no-engine'
  | 'no-accelerator'
  | 'no-model'
  | 'no-pipeline'
  | 'too-slow'
  | 'memory'
  | 'battery'
  | 'hot'
  | 'busy'
  | 'left'
  | 'declined'
  | 'tried-before'
  | 'decode-budget';

export interface PlacementRefusal {
  readonly device: PeerId;
  readonly reason: RefusalReason;
  /** The same for a person, with the figures: `battery at 22 %, floor 30 %`. */
  readonly detail: string;
}

/** The one kept result of a task, or one report of a camera. */
export interface ResultRecord {
  readonly id: string;
  readonly work:
    | { readonly task: string; readonly attempt: string }
    | { readonly camera: string; readonly report: number };
  readonly device: PeerId;
  readonly receivedAtMs: number;
  /** Exact bytes of the result (canonical JSON, `AnalysisResult`). */
  readonly result: Uint8Array;
  /** DSSE envelope (JSON bytes). */
  readonly attestation: Uint8Array;
}
