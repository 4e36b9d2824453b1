import { fromUtf8, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { canonicalJson } from '../json/index.ts';

export const resultMediaType = 'application/vnd.shoal.result.v1+json';

/**
 * What a pipeline produced. Its canonical JSON is what is hashed, attested, stored and shown; so numbers are rounded when it is made
 * (scores to 4 decimals, pixels to 2), to be the same on every machine.
 */
export type AnalysisResult = DetectionsResult | ClassesResult | SceneResult | EmptyResult;

interface ResultBase {
  readonly schema: 1;
  readonly pipeline: string;
  /** Of a camera: which of its frames, and when it was decoded (device wall clock, ms since the Unix epoch). */
  readonly frame?: { readonly camera: string; readonly number: number; readonly capturedAtMs: number };
}

export interface DetectionsResult extends ResultBase {
  readonly kind: 'detections';
  /** Size of the analysed picture, pixels. Boxes are in its coordinates. */
  readonly picture: { readonly width: number; readonly height: number };
  /** Best first. */
  readonly detections: readonly ResultDetection[];
}

export interface ResultDetection {
  readonly label: string;
  /** 0..1 */
  readonly score: number;
  readonly box: ResultBox;
}

/** Pixels: left, top, width, height. */
export interface ResultBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ClassesResult extends ResultBase {
  readonly kind: 'classes';
  readonly picture: { readonly width: number; readonly height: number };
  /** Best first. */
  readonly classes: readonly { readonly label: string; readonly score: number }[];
}

/** What goes on before a camera: who is there, who went where. */
export interface SceneResult extends ResultBase {
  readonly kind: 'scene';
  /** Size of the analysed picture, pixels. Boxes are in its coordinates. */
  readonly picture: { readonly width: number; readonly height: number };
  /** The share of the picture that has changed, 0..1. */
  readonly motion: number;
  /** Whether the model has seen this picture. It does not when nothing moves: then the things are where they were. */
  readonly looked: boolean;
  readonly tracks: readonly SceneTrack[];
  /** Events that go on although their things are not seen just now. */
  readonly unseen: readonly string[];
  readonly crossings: readonly SceneCrossing[];
  /** What began, changed or ended with this picture. */
  readonly events: readonly SceneEvent[];
}

/** A thing that is followed from picture to picture. */
export interface SceneTrack extends ResultDetection {
  /** Its number; never used again while the camera runs. */
  readonly track: number;
  /** Names of the zones that it stands in. */
  readonly zones: readonly string[];
  /** The event that it is about, when it is one. */
  readonly event?: string;
  /** It has not moved for a while. */
  readonly still?: true;
  /** It was not found on this picture, and is expected there. */
  readonly lost?: true;
}

export interface SceneCrossing {
  readonly line: string;
  readonly track: number;
  readonly label: string;
  /** `in`: from the left to the right hand of the line, as one looks from its first point to its second. */
  readonly direction: 'in' | 'out';
}

/** A thing's stay before the camera. */
export interface SceneEvent {
  readonly id: string;
  readonly phase: 'start' | 'update' | 'end';
  readonly label: string;
  readonly track: number;
  /** Device wall clock, ms since the Unix epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** How long it stood in each zone that it has entered, ms. */
  readonly zones: { readonly [name: string]: number };
  /** The best look at it so far. */
  readonly topScore: number;
  readonly box: ResultBox;
}

/** Of the `noop` pipeline, which measures everything but analysis. */
export interface EmptyResult extends ResultBase {
  readonly kind: 'empty';
}

export function encodeResult(result: AnalysisResult): Uint8Array {
  return utf8(canonicalJson(result));
}

/** Parses the bytes of a result. @throws `message.malformed` when they are not one. */
export function decodeResult(bytes: Uint8Array): AnalysisResult {
  let parsed: Partial<AnalysisResult> | null;
  try {
    parsed = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw new ShoalError('message.malformed', 'the result is not JSON', {}, { cause });
  }
  if (!isResult(parsed)) throw new ShoalError('message.malformed', 'the result is of no kind that is known here');
  return parsed;
}

function isResult(value: Partial<AnalysisResult> | null): value is AnalysisResult {
  if (value?.schema !== 1 || typeof value.pipeline !== 'string' || !isFrame(value.frame)) return false;
  switch (value.kind) {
    case 'detections':
      return isPicture(value.picture) && areAll(value.detections, isDetection);
    case 'classes':
      return isPicture(value.picture) && areAll(value.classes, isScored);
    case 'scene':
      return (
        isPicture(value.picture) &&
        typeof value.motion === 'number' &&
        areAll(value.tracks, isTrack) &&
        areAll(value.unseen, (id) => typeof id === 'string') &&
        areAll(value.crossings, isCrossing) &&
        areAll(value.events, isEvent)
      );
    case 'empty':
      return true;
    default:
      return false;
  }
}

function isFrame(value: unknown): boolean {
  if (value === undefined) return true;
  const { camera, number, capturedAtMs } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof camera === 'string' && typeof number === 'number' && typeof capturedAtMs === 'number';
}

function isPicture(value: unknown): boolean {
  const { width, height } = (value ?? {}) as { width?: unknown; height?: unknown };
  return typeof width === 'number' && typeof height === 'number';
}

function isScored(value: unknown): boolean {
  const { label, score } = (value ?? {}) as { label?: unknown; score?: unknown };
  return typeof label === 'string' && typeof score === 'number';
}

function isDetection(value: unknown): boolean {
  return isScored(value) && isBox((value as Partial<ResultDetection>).box);
}

function isTrack(value: unknown): boolean {
  const { track, zones } = (value ?? {}) as Partial<SceneTrack>;
  return isDetection(value) && typeof track === 'number' && areAll(zones, (zone) => typeof zone === 'string');
}

function isCrossing(value: unknown): boolean {
  const { line, track, label, direction } = (value ?? {}) as Partial<SceneCrossing>;
  const named = typeof line === 'string' && typeof label === 'string';
  return named && typeof track === 'number' && (direction === 'in' || direction === 'out');
}

function isEvent(value: unknown): boolean {
  const {
    id,
    phase,
    label,
    track,
    startedAtMs,
    endedAtMs = 0,
    zones,
    topScore,
    box,
  } = (value ?? {}) as Partial<SceneEvent>;
  return (
    typeof id === 'string' &&
    (phase === 'start' || phase === 'update' || phase === 'end') &&
    typeof label === 'string' &&
    [track, startedAtMs, endedAtMs, topScore].every((number) => typeof number === 'number') &&
    typeof zones === 'object' &&
    zones !== null &&
    Object.values(zones).every((ms) => typeof ms === 'number') &&
    isBox(box)
  );
}

function isBox(value: unknown): boolean {
  const box = (value ?? {}) as Partial<Record<string, unknown>>;
  return ['x', 'y', 'width', 'height'].every((side) => typeof box[side] === 'number');
}

function areAll(values: unknown, fits: (value: unknown) => boolean): boolean {
  return Array.isArray(values) && values.every(fits);
}
