import type { PeerId, ResultBox } from '@shoal/protocol';

/** Somebody's or something's stay before a camera. */
export interface EventRecord {
  readonly id: string;
  readonly camera: string;
  /** The device that saw it. */
  readonly device: PeerId;
  readonly label: string;
  /** Number of the thing among those that its camera follows. */
  readonly track: number;
  /** By the device's wall clock, ms since the Unix epoch. */
  readonly startedAtMs: number;
  /** `undefined` while it goes on. */
  readonly endedAtMs?: number;
  /** How long it stood in each zone that it has entered, ms. */
  readonly zones: { readonly [name: string]: number };
  /** The best look at it, and where that was, in pixels of the picture. */
  readonly topScore: number;
  readonly box: ResultBox;
  readonly picture: { readonly width: number; readonly height: number };
  /** Ids of the results of the camera that told of its beginning, and last of a change. */
  readonly firstResult: string;
  readonly lastResult: string;
}

/** Stays that began before a camera since the coordinator started. */
export interface EventCount {
  /** `other` for those of a camera that has too many labels. */
  readonly label: string;
  readonly count: number;
}

export interface EventFilter {
  readonly camera?: string;
  readonly label?: string;
  /** A zone that was entered. */
  readonly zone?: string;
  /** Only those that started not before, and before; ms. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** An event as programs are told of it: times are RFC 3339. */
export function eventAnswer({ startedAtMs, endedAtMs, ...event }: EventRecord) {
  return {
    ...event,
    state: endedAtMs === undefined ? ('active' as const) : ('ended' as const),
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs !== undefined && { endedAt: new Date(endedAtMs).toISOString() }),
  };
}
