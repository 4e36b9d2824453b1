import type {
  CameraAnswer,
  DeviceAnswer,
  FoundCameraAnswer,
  PlacementAnswer,
  ResultAnswer,
  TaskAnswer,
} from '@shoal/coordinator';

export type Camera = CameraAnswer;
export type FoundCamera = FoundCameraAnswer;
export type Device = DeviceAnswer;
export type Task = TaskAnswer;
export type TaskPlacement = PlacementAnswer;
export type Result = ResultAnswer;

export interface List<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** Pixels of the analysed picture: left, top, width, height. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Something that was seen, whatever kind of result said so. */
export interface Seen {
  readonly label: string;
  readonly score: number;
  readonly box?: Box;
  readonly track?: number;
  readonly zones?: readonly string[];
  readonly still?: boolean;
  /** Not seen on this picture, expected there. */
  readonly lost?: boolean;
}

/** A point as shares of the picture, 0..1. */
export type Point = readonly [number, number];

export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
  readonly devices: { readonly online: number; readonly known: number };
  readonly tasks: { readonly queued: number; readonly running: number };
}

/** Something that went on before a camera, from its start to its end. */
export interface SceneEvent {
  readonly id: string;
  readonly camera: string;
  readonly device: string;
  readonly label: string;
  readonly track: number;
  readonly state: 'active' | 'ended';
  readonly startedAt: string;
  readonly endedAt?: string;
  /** How long it stood in each, ms. */
  readonly zones: Readonly<Record<string, number>>;
  readonly topScore: number;
  readonly box: Box;
  readonly picture: { readonly width: number; readonly height: number };
  readonly firstResult?: string;
  readonly lastResult?: string;
}

/** A model as the coordinator's catalogue has it. */
export interface Model {
  readonly name: string;
  readonly title: string;
  readonly task: string;
  readonly licence: { readonly spdx: string; readonly source: string };
  readonly input: { readonly width: number; readonly height: number };
  readonly labels: number;
  readonly variants: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly accuracy: readonly { readonly metric: string; readonly value: number; readonly objects?: string }[];
  }[];
}

export interface Token {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usesLeft: number;
  readonly approve: boolean;
  readonly labels: Readonly<Record<string, string>>;
}
