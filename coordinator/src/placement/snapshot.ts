import type { ModelVariant } from '@shoal/models/manifest';
import type { PeerId } from '@shoal/protocol';

/** The fleet at one moment, as placement sees it. Devices are not changed while a plan is made. */
export type FleetSnapshot = readonly DeviceSnapshot[];

export interface DeviceSnapshot {
  readonly id: PeerId;
  readonly presence: 'online' | 'suspect' | 'offline';
  readonly draining: boolean;
  readonly labels: { readonly [name: string]: string };
  /** Runs on its battery right now. */
  readonly onBattery: boolean;
  /** 0..100; `undefined` when there is none, or it did not say. */
  readonly batteryPct: number | undefined;
  /** Whether any inference runtime works on it. */
  readonly hasEngine: boolean;
  /** Inferences that run at the same time, at least 1. */
  readonly slots: number;
  /** Attempts that are with the device. */
  readonly running: number;
  /** What those are expected to take in all, ms of one slot. */
  readonly backlogMs: number;
  /** Part of the device that its cameras take, 0..1. */
  readonly cameraLoad: number;
  /** Until when it wants no more work (monotonic ms), and its word for why. */
  readonly pause: { readonly untilMs: number; readonly reason: string } | undefined;
  /** Of its link, measured or assumed. */
  readonly bytesPerMs: number;
  /** What decoding an input takes there, as its tasks have shown, ms. */
  readonly decodeMs: number;
  /** What one inference takes there: measured by the device and corrected by what its tasks took. `undefined`: never measured. */
  runMs(model: string, variant: string): number | undefined;
  /** What loading takes before the first run: 0 when it ran lately; `undefined`: never measured. */
  loadMs(model: string, variant: string, nowMs: number): number | undefined;
}

/** What is to be placed. */
export interface Work {
  /** `undefined` for a pipeline without a model. */
  readonly model?: string;
  /** The files of the model that may be run, at least one when there is a model. */
  readonly variants: readonly ModelVariant[];
  /** Bytes that have to reach the device first. */
  readonly inputBytes: number;
  readonly labels: { readonly [name: string]: string };
  /** Only this device. */
  readonly device?: PeerId;
  /** Until the deadline, ms; `undefined` for none. */
  readonly timeLeftMs?: number;
  /** Devices where it failed: taken again only when no other could do it. */
  readonly tried: ReadonlySet<PeerId>;
  /** Devices that said they cannot do this work at all, with their words. */
  readonly declined: ReadonlyMap<PeerId, string>;
}

export interface PlacementLimits {
  readonly batteryFloorPct: number;
  /** Attempts that one device holds at most. */
  readonly attemptsPerDevice: number;
}
