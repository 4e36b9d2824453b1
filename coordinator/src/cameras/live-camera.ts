import type { CameraStatus, PeerId } from '@shoal/protocol';
import { type Camera, type CameraGrant, usualPriority } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import type { Footage } from '../placement/index.ts';
import { footageSeen, noFootage } from './footage.ts';

/** A device that said no, or that a camera had to leave, is thought of again after this time, ms. */
const declineMs = 30_000;
const leftMs = 120_000;

/** A device that is out of question for a while, and why. */
interface Aside {
  readonly reason: string;
  /** Monotonic, ms. */
  readonly untilMs: number;
}

/** A camera while the coordinator runs. */
export class LiveCamera {
  camera: Camera;
  /** `undefined` when its model is not in the catalogue any more. */
  resolved: ResolvedPipeline | undefined;
  /** The device has said that it has this revision. */
  agreed = false;
  /** When it last said so, monotonic ms. */
  agreedMs = 0;
  /** The revision that the device is being asked to take. */
  asking: number | undefined;
  /** How often in a row its device did not answer. */
  unanswered = 0;
  /** The newest revision that is recorded for good. */
  durableRevision: number | undefined;
  removed = false;
  /** When it was last given a device, or more or less of it; monotonic ms. */
  settledMs = 0;
  /** Why it has to leave its device, for a person. */
  mustLeave: string | undefined;
  /** The device that it left last, what it was given there, and why it left. */
  cameFrom: { readonly device: PeerId; readonly grant: CameraGrant | undefined; readonly reason: string } | undefined;
  /** When its last result came, monotonic ms. */
  lastReportMs: number | undefined;
  /** What its devices said of its source. */
  seen = noFootage;
  /** Devices that would not take it. */
  readonly declined = new Map<PeerId, Aside>();
  /** Devices that it had to leave. */
  readonly left = new Map<PeerId, Aside>();

  constructor(camera: Camera, resolved: ResolvedPipeline | undefined) {
    this.camera = camera;
    this.resolved = resolved;
  }

  get priority(): number {
    return this.camera.spec.priority ?? usualPriority;
  }

  get footage(): Footage {
    return { ...this.seen, hasSubstream: this.camera.spec.substream !== undefined };
  }

  /** Its device said how it does. */
  saw(status: CameraStatus): void {
    this.seen = footageSeen(this.seen, status, this.camera.grant);
  }

  agree(nowMs: number): void {
    this.agreed = true;
    this.agreedMs = nowMs;
    this.unanswered = 0;
  }

  decline(device: PeerId, reason: string, nowMs: number): void {
    this.declined.set(device, { reason, untilMs: nowMs + declineMs });
  }

  leave(device: PeerId, reason: string, nowMs: number): void {
    this.left.set(device, { reason, untilMs: nowMs + leftMs });
  }

  forgive(nowMs: number): void {
    for (const asides of [this.declined, this.left])
      for (const [device, { untilMs }] of asides) if (untilMs <= nowMs) asides.delete(device);
  }
}

/** The most important first; of equals the oldest. */
export function byRank(a: LiveCamera, b: LiveCamera): number {
  return b.priority - a.priority || a.camera.createdAtMs - b.camera.createdAtMs;
}
