import type { ObjectCount } from '@shoal/models/manifest';
import type { DeviceClassName } from './device-classes.ts';

/** A fleet and what is asked of it, as a person writes it. */
export interface Fleet {
  readonly name: string;
  readonly title: string;
  readonly devices: readonly DeviceGroup[];
  readonly workloads: readonly Workload[];
  readonly cameras: readonly CameraGroup[];
}

export interface DeviceGroup {
  readonly class: DeviceClassName;
  readonly count: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly link: Link;
  /** Left out: on the mains. */
  readonly battery?: Battery;
  /** Each of them crashes now and then, and is back after a while; left out: none does. */
  readonly fails?: ByChance;
}

/** Again and again, on the average so often and for so long: each time from half to one and a half of it. */
export interface ByChance {
  /** From one time to the next. */
  readonly everyMs: number;
  readonly forMs: number;
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

export const codecs = ['h264', 'h265'] as const;

/** What a camera sends. */
export interface VideoStream {
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly fps: number;
  readonly codec: (typeof codecs)[number];
}

/** Cameras that are alike: each is watched as long as it is there. */
export interface CameraGroup {
  readonly name: string;
  readonly count: number;
  /** Frames a second that are to be analysed. */
  readonly fps: number;
  readonly stream: VideoStream;
  /** The same picture in small. */
  readonly substream?: VideoStream;
  /** 0..9: who has less gives way when not everything fits. */
  readonly priority?: number;
  /** 95 of 100 frames are to be analysed within this time. */
  readonly p95Ms?: number;
  /** Of the devices that may watch it. */
  readonly labels: Readonly<Record<string, string>>;
  /** How many objects are on its pictures: shares that sum to 1. */
  readonly objects: Readonly<Record<ObjectCount, number>>;
  /** Accuracy that may be given up against the best model, 0..1. */
  readonly accuracyLoss: number;
  /** From one time of the day to another, or by chance; left out: always. */
  readonly there?: { readonly fromMinute: number; readonly toMinute: number } | ByChance;
}
