import type { ObjectCount } from '@shoal/models/manifest';
import type { DeviceClassName } from './device-classes.ts';

/** A fleet and what is asked of it, as a person writes it. */
export interface Fleet {
  readonly name: string;
  readonly title: string;
  readonly devices: readonly DeviceGroup[];
  readonly workloads: readonly Workload[];
}

export interface DeviceGroup {
  readonly class: DeviceClassName;
  readonly count: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly link: Link;
  /** Left out: on the mains. */
  readonly battery?: Battery;
}

export interface Link {
  readonly bytesPerMs: number;
  readonly rttMs: number;
}

export interface Battery {
  readonly wattHours: number;
  /** At the start, percent; each device a little off it, by up to `spreadPct`. */
  readonly levelPct: number;
  readonly spreadPct: number;
  readonly floorPct: number;
  readonly charging: readonly { readonly fromMinute: number; readonly toMinute: number; readonly watts: number }[];
}

/** Pictures that come in by chance, so many a second on the average, and bursts of them. */
export interface Workload {
  readonly name: string;
  readonly perSecond: number;
  readonly burst?: { readonly everyMs: number; readonly count: number };
  /** `undefined`: none. */
  readonly deadlineMs?: number;
  readonly inputBytes: number;
  /** How many objects are on the pictures: shares that sum to 1. */
  readonly objects: Readonly<Record<ObjectCount, number>>;
  /** Accuracy that may be given up against the best model, 0..1. */
  readonly accuracyLoss: number;
  readonly critical?: boolean;
}
