import type { Box } from '../stages/index.ts';

/** A true object of one picture. */
export interface GroundTruth {
  readonly classIndex: number;
  readonly box: Box;
}

/** Something that was seen in one picture. */
export interface ScoredBox extends GroundTruth {
  readonly score: number;
}

export interface PictureOutcome {
  readonly truth: readonly GroundTruth[];
  readonly seen: readonly ScoredBox[];
}

export interface DetectionAccuracy {
  /** Mean over classes and over IoU .50, .55 ... .95 (COCO's first figure), 0..1. */
  readonly mAP: number;
  /** Mean over classes at IoU .50. */
  readonly mAP50: number;
  /** Classes that occur in the truth. */
  readonly classes: number;
}

// The very numbers of the reference: 7 x 0.01 is not 7 / 100, and a recall of 7 / 100 meets only one of them.
const iouThresholds = evenlySpaced(0.5, 0.95, 10);
const recalls = evenlySpaced(0, 1, 101);
/** Detections per picture and class that count (`maxDets`). */
const maxDetections = 100;

/**
 * Average precision as pycocotools computes it (`COCOeval`, all areas, 100 detections, no crowds): per class, detections in
 * order of score each take the free truth they overlap most; precision is made monotonic and read at 101 recalls.
 * Source: cocodataset/cocoapi `PythonAPI/pycocotools/cocoeval.py`, `evaluateImg` and `accumulate`.
 */
export function detectionAccuracy(pictures: readonly PictureOutcome[]): DetectionAccuracy {
  const classes = [...new Set(pictures.flatMap(({ truth }) => truth.map(({ classIndex }) => classIndex)))];
  const table = classes.map((classIndex) => {
    const own = pictures.map((picture) => ofClass(picture, classIndex));
    return iouThresholds.map((iou) => averagePrecision(own, iou));
  });
  return {
    mAP: mean(table.flat()),
    mAP50: mean(table.map(([atHalf]) => atHalf ?? 0)),
    classes: classes.length,
  };
}

/** Precision and recall over all classes and pictures at one IoU, with what was seen taken as it is. */
export function precisionAndRecall(
  pictures: readonly PictureOutcome[],
  iou: number,
): { readonly precision: number; readonly recall: number } {
  let hits = 0;
  let seen = 0;
  let truths = 0;
  for (const picture of pictures) {
    for (const classIndex of new Set([...picture.truth, ...picture.seen].map((one) => one.classIndex))) {
      const own = ofClass(picture, classIndex);
      hits += matches(own, iou).filter((match) => match.hit).length;
      seen += own.seen.length;
      truths += own.truth.length;
    }
  }
  return { precision: seen === 0 ? 0 : hits / seen, recall: truths === 0 ? 0 : hits / truths };
}

function ofClass({ truth, seen }: PictureOutcome, classIndex: number): PictureOutcome {
  return {
    truth: truth.filter((one) => one.classIndex === classIndex),
    seen: seen
      .filter((one) => one.classIndex === classIndex)
      .toSorted((a, b) => b.score - a.score)
      .slice(0, maxDetections),
  };
}

function averagePrecision(pictures: readonly PictureOutcome[], iou: number): number {
  const truths = pictures.reduce((sum, { truth }) => sum + truth.length, 0);
  // A stable sort keeps the order of pictures among equal scores, as the merge sort of the reference does.
  const ranked = pictures.flatMap((picture) => matches(picture, iou)).sort((a, b) => b.score - a.score);
  let hits = 0;
  const recall: number[] = [];
  const precision = ranked.map(({ hit }, i) => {
    if (hit) hits += 1;
    recall.push(hits / truths);
    return hits / (i + 1);
  });
  for (let i = precision.length - 1; i > 0; i--) {
    precision[i - 1] = Math.max(precision[i - 1] ?? 0, precision[i] ?? 0);
  }
  let sum = 0;
  let at = 0;
  for (const least of recalls) {
    while (at < recall.length && (recall[at] ?? 0) < least) at += 1;
    sum += precision[at] ?? 0;
  }
  return sum / recalls.length;
}

/** Greedy matching within one picture and class; `seen` is in order of score. */
function matches(
  { truth, seen }: PictureOutcome,
  iou: number,
): readonly { readonly score: number; readonly hit: boolean }[] {
  const taken = new Set<GroundTruth>();
  return seen.map(({ box, score }) => {
    let best = Math.min(iou, 1 - 1e-10);
    let match: GroundTruth | undefined;
    for (const candidate of truth) {
      if (taken.has(candidate)) continue;
      const overlap = intersectionOverUnion(box, candidate.box);
      if (overlap < best) continue;
      best = overlap;
      match = candidate;
    }
    if (match) taken.add(match);
    return { score, hit: match !== undefined };
  });
}

export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** numpy's `linspace`. */
function evenlySpaced(first: number, last: number, count: number): readonly number[] {
  const step = (last - first) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? last : i * step + first));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
