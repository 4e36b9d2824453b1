import type { CameraStatus, Json, PeerId } from '@shoal/protocol';
import type { PlacementRefusal } from './task.ts';

export interface CameraSpec {
  readonly name: string;
  /** URL or path. May carry credentials: shown and logged only redacted. */
  readonly source: string;
  readonly pipeline: string;
  readonly model?: string;
  readonly variant?: string;
  readonly targetFps: number;
  readonly parameters: { readonly [name: string]: Json };
  /** Play a file again from its start when it ends. */
  readonly loop: boolean;
  readonly labels: { readonly [name: string]: string };
  readonly device?: PeerId;
}

export interface Camera {
  readonly id: string;
  readonly spec: CameraSpec;
  /** Goes up with every change; a device keeps the newest. */
  readonly revision: number;
  readonly createdAtMs: number;
  /** Where it runs; `undefined` while no device can take it. */
  readonly device?: PeerId;
  /** Devices that had it before, newest last: what they kept while they were cut off is still taken from them. */
  readonly formerDevices: readonly PeerId[];
  /** Why it runs there, or why it waits. */
  readonly reason: string;
  readonly refused: readonly PlacementRefusal[];
}

export interface CameraView extends Camera {
  readonly status?: CameraStatus;
}
