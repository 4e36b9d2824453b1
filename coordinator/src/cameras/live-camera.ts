import type { PeerId } from '@shoal/protocol';
import type { Camera } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';

/** A device that said no is asked again after this time, ms. */
const declineMs = 30_000;

/** A camera while the coordinator runs. */
export class LiveCamera {
  camera: Camera;
  /** `undefined` when its model is not in the catalogue any more. */
  resolved: ResolvedPipeline | undefined;
  /** What was chosen to be run, with the device. */
  choice: { readonly model: string; readonly variant: string } | undefined;
  /** The device has said that it has this revision. */
  agreed = false;
  /** When it last said so, monotonic ms. */
  agreedMs = 0;
  /** The revision that the device is being asked to take. */
  asking: number | undefined;
  /** The newest revision that is recorded for good. */
  durableRevision: number | undefined;
  removed = false;
  /** Devices that would not take it, and until when they are left alone (monotonic ms). */
  readonly declined = new Map<PeerId, { readonly reason: string; readonly untilMs: number }>();

  constructor(camera: Camera, resolved: ResolvedPipeline | undefined) {
    this.camera = camera;
    this.resolved = resolved;
  }

  agree(nowMs: number): void {
    this.agreed = true;
    this.agreedMs = nowMs;
  }

  decline(device: PeerId, reason: string, nowMs: number): void {
    this.declined.set(device, { reason, untilMs: nowMs + declineMs });
  }

  forgive(nowMs: number): void {
    for (const [device, { untilMs }] of this.declined) if (untilMs <= nowMs) this.declined.delete(device);
  }
}
