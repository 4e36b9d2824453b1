import type { AnchorDetectionHead } from '../manifest/index.ts';
import { strongestPositions } from './byte-scan.ts';
import { boxStride, suppressOverlaps } from './nms.ts';
import { byteTable, logit, type OutputTensor, type Quantization, sigmoid } from './quantization.ts';

/** Boxes that enter the suppression, as in EfficientDet's own `max_nms_inputs`. Bounds the time a pathological input takes. */
const candidateLimit = 5_000;

export interface DetectionHeadOptions {
  readonly nms: AnchorDetectionHead['nms'];
  /** float32 [N,4]: cy, cx, height, width as fractions of the input. */
  readonly anchors: Float32Array;
  /** Size of the model's input in pixels. */
  readonly width: number;
  readonly height: number;
  /** Whether class `i` is reported at all. */
  readonly reported: readonly boolean[];
  /** Needed when the tensors are bytes. */
  readonly boxQuantization?: Quantization | undefined;
  readonly logitQuantization?: Quantization | undefined;
}

/** Pixels of the model's input. */
export interface Edges {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface DetectionLimits {
  readonly minScore: number;
  readonly maxDetections: number;
  /** Boxes of which nothing lies in here are left out. */
  readonly within: Edges;
}

/**
 * Boxes [N,4] (`ty,tx,th,tw`) and logits [N,classes] to packed detections (see `boxStride`), strongest first, in pixels of
 * the model's input.
 */
export type DetectionHead = (
  boxes: OutputTensor,
  logits: OutputTensor,
  limits: DetectionLimits,
) => Float32Array<ArrayBuffer>;

/**
 * The head of EfficientDet and its like. Scores are compared with the threshold as the bytes they are; only the few
 * candidates that pass are turned into numbers.
 * Box coding: google/automl `efficientdet/tf2/anchors.py`, `decode_box_outputs`.
 */
export function createDetectionHead(options: DetectionHeadOptions): DetectionHead {
  const classes = options.reported.length;
  const positions = new Int32Array(candidateLimit);
  const boxTable = options.boxQuantization && byteTable(options.boxQuantization);
  const scoreTable = options.logitQuantization && byteTable(options.logitQuantization, sigmoid);

  return (boxes, logits, { minScore, maxDetections, within }) => {
    const found =
      logits instanceof Uint8Array
        ? strongestPositions(logits, leastByte(required(options.logitQuantization, 'logits'), minScore), positions)
        : strongestLogits(logits, minScore, positions);
    const scoreAt = (at: number) =>
      logits instanceof Uint8Array ? (scoreTable?.[logits[at] as number] ?? 0) : sigmoid(logits[at] as number);
    if (boxes instanceof Uint8Array) required(options.boxQuantization, 'boxes');
    const codeAt = (at: number) =>
      boxes instanceof Uint8Array ? (boxTable?.[boxes[at] as number] ?? 0) : (boxes[at] as number);

    const candidates = Array.from(positions.subarray(0, found), (at) => ({ at, score: scoreAt(at) }))
      .filter(({ at }) => options.reported[at % classes])
      .sort((a, b) => b.score - a.score || a.at - b.at);
    const packed = new Float32Array(candidates.length * boxStride);
    let end = 0;
    for (const { at, score } of candidates) {
      packed[end] = at % classes;
      packed[end + 1] = score;
      decodeBox(options, Math.floor(at / classes), codeAt, packed, end + 2);
      if (touches(packed, end + 2, within)) end += boxStride;
    }
    const limit = Math.min(maxDetections, options.nms.maxDetections);
    const { iou, perClass } = options.nms;
    return suppressOverlaps(packed.subarray(0, end), { iou, perClass, limit });
  };
}

/** False for a box that is not a number, too. */
function touches(boxes: Float32Array, at: number, within: Edges): boolean {
  return (
    (boxes[at] as number) < within.right &&
    (boxes[at + 1] as number) < within.bottom &&
    (boxes[at + 2] as number) > within.left &&
    (boxes[at + 3] as number) > within.top
  );
}

function decodeBox(
  { anchors, width, height }: DetectionHeadOptions,
  anchor: number,
  codeAt: (at: number) => number,
  into: Float32Array,
  offset: number,
): void {
  const at = anchor * 4;
  const anchorHeight = anchors[at + 2] as number;
  const anchorWidth = anchors[at + 3] as number;
  const centreY = codeAt(at) * anchorHeight + (anchors[at] as number);
  const centreX = codeAt(at + 1) * anchorWidth + (anchors[at + 1] as number);
  const halfHeight = (Math.exp(codeAt(at + 2)) * anchorHeight) / 2;
  const halfWidth = (Math.exp(codeAt(at + 3)) * anchorWidth) / 2;
  into[offset] = (centreX - halfWidth) * width;
  into[offset + 1] = (centreY - halfHeight) * height;
  into[offset + 2] = (centreX + halfWidth) * width;
  into[offset + 3] = (centreY + halfHeight) * height;
}

/** The smallest byte whose score is at least `minScore`; 256 when there is none, 1 when all have it but the weakest. */
export function leastByte(quantization: Quantization, minScore: number): number {
  const byte = Math.ceil(quantization.zeroPoint + logit(minScore) / quantization.scale - 1e-6);
  return Math.min(256, Math.max(1, byte));
}

/** Float logits, in the same bounded memory: when too many pass, they are ranked in 255 steps between threshold and maximum. */
function strongestLogits(logits: Float32Array, minScore: number, into: Int32Array): number {
  const least = logit(minScore);
  let count = 0;
  let most = least;
  for (let at = 0; at < logits.length; at++) {
    const value = logits[at] as number;
    if (!(value >= least)) continue;
    if (count < into.length) into[count] = at;
    if (value > most && value < Number.POSITIVE_INFINITY) most = value;
    count += 1;
  }
  if (count <= into.length) return count;
  const floor = Math.max(least, most - 40);
  const perRank = 254 / (most - floor || 1);
  const ranks = new Uint8Array(logits.length);
  for (let at = 0; at < logits.length; at++) {
    const value = logits[at] as number;
    if (value >= least) ranks[at] = 1 + Math.max(0, Math.min(254, (value - floor) * perRank));
  }
  return strongestPositions(ranks, 1, into);
}

function required(quantization: Quantization | undefined, tensor: string): Quantization {
  if (!quantization)
    throw new TypeError(`the ${tensor} are bytes, and the manifest does not say how they are quantized`);
  return quantization;
}
