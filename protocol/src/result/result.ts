import { fromUtf8, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { canonicalJson } from '../json/index.ts';

export const resultMediaType = 'application/vnd.shoal.result.v1+json';

/**
 * What a pipeline produced. Its canonical JSON is what is hashed, attested, stored and shown; so numbers are rounded when it is made
 * (scores to 4 decimals, pixels to 2), to be the same on every machine.
 */
export type AnalysisResult = DetectionsResult | ClassesResult | EmptyResult;

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
  /** Pixels: left, top, width, height. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface ClassesResult extends ResultBase {
  readonly kind: 'classes';
  readonly picture: { readonly width: number; readonly height: number };
  /** Best first. */
  readonly classes: readonly { readonly label: string; readonly score: number }[];
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
      return isPicture(value.picture) && Array.isArray(value.detections) && value.detections.every(isDetection);
    case 'classes':
      return isPicture(value.picture) && Array.isArray(value.classes) && value.classes.every(isScored);
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
  const { box } = (value ?? {}) as { box?: Record<string, unknown> };
  return isScored(value) && ['x', 'y', 'width', 'height'].every((side) => typeof box?.[side] === 'number');
}
