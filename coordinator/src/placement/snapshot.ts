import type { PeerId } from '@shoal/protocol';
import type { Choice, Figures } from './choice.ts';
import type { Duration } from './duration.ts';
import type { Menu } from './menu.ts';
import type { Options } from './options.ts';
import type { Power } from './power.ts';
import type { DecodeBudget, Footage } from './streams/decode-ladder.ts';

/** The fleet at one moment, as placement sees it. Devices are not changed while a plan is made. */
export interface FleetSnapshot {
  readonly size: number;
  /** How busy the GPUs, NPUs and TPUs of the fleet are, 0..1. */
  readonly acceleratorsBusy: number;
  device(id: PeerId): DeviceSnapshot | undefined;
  /** Every device. */
  all(): Iterable<DeviceSnapshot>;
  /**
   * The few devices that are worth a look for the work: of a large fleet the least busy of every kind and some others. `undefined`: all are.
   */
  promising?(work: Work): Iterable<DeviceSnapshot> | undefined;
  /** Shows a search the devices that may be its best, until no other can be. `false`: it has to look at all. */
  search?(search: FleetSearch): boolean;
}

/** Who looks for the device with the least cost, and can tell for many at once what they cost about. */
export interface FleetSearch {
  readonly work: Work;
  /** What typical costs depend on, besides device and wait: where all of it is the same, they are. */
  readonly sort: {
    readonly menu: string;
    readonly variety: number;
    readonly limits: PlacementLimits;
    readonly weights: object;
  };
  /** What work of this sort costs about on a device that is like this one and makes it wait for so long; infinite when it cannot be done there. */
  typicalCost(device: DeviceSnapshot, waitMs: number): number;
  /** The least cost that was found so far; infinite before any was. */
  readonly least: number;
  look(device: DeviceSnapshot): void;
}

export interface DeviceSnapshot {
  readonly id: PeerId;
  readonly name: string;
  /** Devices of one kind are expected to measure alike. */
  readonly kind: string;
  /** Devices with the same likeness cost about the same for any work, but for what they have in hand: {@link likenessOf}. */
  readonly likeness: string;
  readonly presence: 'online' | 'suspect' | 'offline';
  readonly draining: boolean;
  readonly labels: { readonly [name: string]: string };
  readonly power: Power;
  /** Whether any inference runtime works on it. */
  readonly hasEngine: boolean;
  /** Whether its inference runs on a GPU, NPU or TPU. */
  readonly accelerated: boolean;
  /** Memory that a model may take there: what nobody uses, and what models take that could be unloaded. Infinite: not known. */
  readonly freeBytes: number;
  /** Inferences that run at the same time, at least 1. */
  readonly slots: number;
  /** Attempts that are with the device. */
  readonly running: number;
  /** What those are expected to take in all, of one slot. */
  readonly backlog: Duration;
  /** What those are expected to draw in all, and what has been drawn since the level of the battery was reported; joules. */
  readonly committedJ: number;
  /** Work that was placed on it since the coordinator started. */
  readonly placed: number;
  /** Part of the device that its cameras take, 0..1. */
  readonly cameraLoad: number;
  /** What its cameras draw, watts. */
  readonly cameraWatts: number;
  /** What of it there is for decoding cameras. */
  readonly decode: DecodeBudget;
  /** Why it is too hot to watch cameras, for a person; `undefined` when it is not. */
  readonly heat: string | undefined;
  /** Until when it wants no more work (monotonic ms), and its word for why. */
  readonly pause: { readonly untilMs: number; readonly reason: string } | undefined;
  /** Of its link, measured or assumed. */
  readonly bytesPerMs: number;
  /** There and back, ms. */
  readonly rttMs: number;
  /** What decoding an input takes there, as its tasks have shown, ms. */
  readonly decodeMs: number;
  /** By the key of a {@link Choice}. */
  figures(key: string): Figures;
  /** What of the menu is worth a thought there: {@link optionsOf}, which a device keeps as long as nothing of it changes. */
  options(menu: Menu): Options;
}

/** What is to be placed. */
export interface Work {
  /** What may be run, at least one; empty for a pipeline without a model. */
  readonly choices: readonly Choice[];
  /** Bytes that have to reach the device first. */
  readonly inputBytes: number;
  readonly labels: { readonly [name: string]: string };
  /** Only this device. */
  readonly device?: PeerId;
  /** Until the deadline, ms; `undefined` for none. */
  readonly timeLeftMs?: number;
  /** May take a battery down to the critical floor. */
  readonly critical?: boolean;
  /** Needs an accelerator. */
  readonly accelerator?: boolean;
  /** It goes on for good: a camera. What it takes is then counted by the second. */
  readonly stream?: Stream;
  /** What it shares with other work that is best done on the same device, such as its camera. */
  readonly affinity?: string;
  /** Devices where it failed: taken again only when no other could do it. */
  readonly tried: ReadonlySet<PeerId>;
  /** Devices that said they cannot do this work at all, with their words. */
  readonly declined: ReadonlyMap<PeerId, string>;
}

/** What a camera takes of a device. */
export interface CameraShare {
  /** Part of its time. */
  readonly load: number;
  readonly watts: number;
  /** Cores that decode it. */
  readonly decode: number;
}

export interface Stream {
  /** Frames a second that are asked for. */
  readonly fps: number;
  /** Of the source, as far as it is known. */
  readonly footage?: Footage;
  /** Where it runs now, its part of that device's cameras; both are left out of account there. */
  readonly current?: CameraShare & { readonly device: PeerId };
  /** What other cameras would give up for this one, by device. What it costs is counted all the same. */
  readonly yields?: ReadonlyMap<PeerId, CameraShare>;
  /** Devices that it had to leave a moment ago, and why. */
  readonly left?: ReadonlyMap<PeerId, string>;
}

export interface PlacementLimits {
  /** Work never takes a battery below this level, percent; critical work below the second. */
  readonly batteryFloorPct: number;
  readonly criticalFloorPct: number;
  /** So much above its floor a battery is taken to be at it, percent. */
  readonly batteryMarginPct: number;
  /** Attempts that one device holds at most. */
  readonly attemptsPerDevice: number;
}
