import type { CameraStatus, DecodeLevel, Json, PeerId } from '@shoal/protocol';
import type { PlacementRefusal } from './task.ts';

export interface CameraSpec {
  readonly name: string;
  /** URL or path. May carry credentials: shown and logged only redacted. */
  readonly source: string;
  readonly pipeline: string;
  readonly model?: string;
  readonly variant?: string;
  /** The same picture in small: decoded instead where there is no room for the source. As secret as that. */
  readonly substream?: string;
  readonly targetFps: number;
  /** Within this time of being decoded, 95 of 100 frames are to be analysed, ms. */
  readonly p95Ms?: number;
  /** 0..9, {@link usualPriority} unless told: who has less gives way when not everything fits. */
  readonly priority?: number;
  readonly parameters: { readonly [name: string]: Json };
  /** Play a file again from its start when it ends. */
  readonly loop: boolean;
  readonly labels: { readonly [name: string]: string };
  readonly device?: PeerId;
  /** Nobody watches it until it is taken back. */
  readonly paused?: true;
}

export const usualPriority = 5;

/** What a camera was given along with its device. */
export interface CameraGrant {
  readonly model: string;
  readonly variant: string;
  readonly decode: DecodeLevel;
  /** Frames a second, at most as many as are asked for. */
  readonly fps: number;
}

/** A camera went from one device to another. */
export interface CameraMove {
  readonly atMs: number;
  readonly from: PeerId;
  readonly to: PeerId;
  /** Why it left, for a person. */
  readonly reason: string;
  /** From the last result before it to the first one after it, ms; `undefined` until there is one. */
  readonly gapMs?: number;
}

/** Whether what was asked for is met, and when not, why, for a person. */
export interface ServiceLevel {
  readonly met: boolean;
  readonly detail: string;
}

export interface Camera {
  readonly id: string;
  readonly spec: CameraSpec;
  /** Goes up with every change; a device keeps the newest. */
  readonly revision: number;
  readonly createdAtMs: number;
  /** Where it runs; `undefined` while no device can take it. */
  readonly device?: PeerId;
  /** `undefined` while it has no device. */
  readonly grant?: CameraGrant;
  /** The last ones, newest last. */
  readonly moves?: readonly CameraMove[];
  /** Devices that had it before, newest last: what they kept while they were cut off is still taken from them. */
  readonly formerDevices: readonly PeerId[];
  /** Why it runs there, or why it waits. */
  readonly reason: string;
  readonly refused: readonly PlacementRefusal[];
}

/** What became of a picture that a camera sent: it goes to its device, when it is due; so it does in the place of one that still waited for that. */
export type PushOutcome = 'taken' | 'replaced';

/** Pictures that a camera sent since the coordinator started. */
export interface PushCounts {
  /** Taken by the device that watches it. */
  readonly taken: number;
  /** Replaced by a newer one, or not taken in time. */
  readonly dropped: number;
}

export interface CameraView extends Camera {
  /** Of a camera that sends its pictures by itself, once it has. */
  readonly pushed?: PushCounts;
  readonly status?: CameraStatus;
  readonly service: ServiceLevel;
}
