import { describe, expect, it } from 'vitest';
import {
  detectionAccuracy,
  intersectionOverUnion,
  type PictureOutcome,
  precisionAndRecall,
} from '../../src/evaluate/coco-map.ts';

const box = (x: number, width = 10) => ({ x, y: 0, width, height: 10 });
const truth = (x: number, classIndex = 0) => ({ classIndex, box: box(x) });
const seen = (x: number, score: number, classIndex = 0, width = 10) => ({ classIndex, score, box: box(x, width) });
const picture = (truths: PictureOutcome['truth'], found: PictureOutcome['seen']) => ({ truth: truths, seen: found });

describe('average precision', () => {
  it('is one when everything is found exactly, and zero when nothing is', () => {
    const all = [picture([truth(0), truth(50, 1)], [seen(0, 0.9), seen(50, 0.8, 1)])];
    expect(detectionAccuracy(all)).toEqual({ mAP: 1, mAP50: 1, classes: 2 });
    expect(detectionAccuracy([picture([truth(0)], [])])).toEqual({ mAP: 0, mAP50: 0, classes: 1 });
    expect(detectionAccuracy([])).toEqual({ mAP: 0, mAP50: 0, classes: 0 });
  });

  it('counts the share of the 101 recalls that are reached', () => {
    // One of two found: recall .5, so the recalls 0, .01 ... .50 are reached: 51 of 101.
    const half = [picture([truth(0), truth(50)], [seen(0, 0.9)])];
    expect(detectionAccuracy(half).mAP50).toBeCloseTo(51 / 101, 12);
  });

  it('reads precision at each recall from the best that is reached at it or beyond', () => {
    // Hit, miss, hit: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1. Made monotonic: 1, 2/3, 2/3.
    const found = [seen(0, 0.9), seen(200, 0.8), seen(50, 0.7)];
    const { mAP50 } = detectionAccuracy([picture([truth(0), truth(50)], found)]);
    expect(mAP50).toBeCloseTo((51 * 1 + 50 * (2 / 3)) / 101, 12);
  });

  it('takes a miss below the last hit for nothing, and one above it at its rank', () => {
    const below = [picture([truth(0)], [seen(0, 0.9), seen(200, 0.1)])];
    const above = [picture([truth(0)], [seen(0, 0.1), seen(200, 0.9)])];
    expect(detectionAccuracy(below).mAP50).toBe(1);
    expect(detectionAccuracy(above).mAP50).toBeCloseTo(0.5, 12);
  });

  it('counts a box at the IoU thresholds it reaches', () => {
    // Moved by 2 of 10: 80 of 120, IoU .667: hit at .50, .55, .60 and .65.
    const { mAP, mAP50 } = detectionAccuracy([picture([truth(0)], [seen(2, 0.9)])]);
    expect(mAP50).toBe(1);
    expect(mAP).toBeCloseTo(4 / 10, 12);
  });

  it('counts a box that reaches a threshold exactly', () => {
    // Half of the other, IoU .5.
    expect(detectionAccuracy([picture([truth(0)], [seen(0, 0.9, 0, 5)])]).mAP50).toBe(1);
  });

  it('gives a truth to one detection only: the second on the same thing is a miss', () => {
    const twice = [picture([truth(0), truth(50)], [seen(0, 0.9), seen(0, 0.8), seen(50, 0.7)])];
    expect(detectionAccuracy(twice).mAP50).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
  });

  it('gives a detection the free truth that it overlaps most', () => {
    // The stronger one lies between both, nearer to the second; the weaker one fits the first only.
    const found = [seen(2, 0.9), seen(0, 0.8)];
    expect(detectionAccuracy([picture([truth(0), truth(3)], found)]).mAP50).toBe(1);
  });

  it('ranks over all pictures, and never matches across them', () => {
    const pictures = [picture([truth(0)], [seen(0, 0.5)]), picture([truth(50)], [seen(0, 0.9)])];
    // Ranked: miss (.9), hit (.5): precision 1/2 up to recall 1/2.
    expect(detectionAccuracy(pictures).mAP50).toBeCloseTo((51 * 0.5) / 101, 12);
  });

  it('is the mean over the classes that occur; what is seen of others does not count', () => {
    const pictures = [picture([truth(0), truth(50, 1)], [seen(0, 0.9), seen(90, 0.99, 7)])];
    expect(detectionAccuracy(pictures)).toMatchObject({ mAP50: 0.5, classes: 2 });
  });

  it('looks at the hundred strongest of a picture and class', () => {
    const noise = Array.from({ length: 100 }, (_, i) => seen(1000 + 20 * i, 0.9 - i / 1000));
    expect(detectionAccuracy([picture([truth(0)], [...noise, seen(0, 0.1)])]).mAP50).toBe(0);
    expect(detectionAccuracy([picture([truth(0)], [...noise.slice(1), seen(0, 0.1)])]).mAP50).toBeCloseTo(0.01, 12);
  });
});

describe('precision and recall', () => {
  it('count hits among what was seen and what is there, class by class', () => {
    const pictures = [picture([truth(0), truth(50), truth(90, 1)], [seen(0, 0.9), seen(200, 0.5), seen(90, 0.9)])];
    expect(precisionAndRecall(pictures, 0.5)).toEqual({ precision: 1 / 3, recall: 1 / 3 });
    expect(precisionAndRecall([], 0.5)).toEqual({ precision: 0, recall: 0 });
  });
});

describe('intersection over union', () => {
  it('is the shared area over the area of both', () => {
    expect(intersectionOverUnion(box(0), box(0))).toBe(1);
    expect(intersectionOverUnion(box(0), box(5))).toBeCloseTo(50 / 150, 12);
    expect(intersectionOverUnion(box(0), box(10))).toBe(0);
    expect(intersectionOverUnion(box(0), { x: 0, y: 20, width: 10, height: 10 })).toBe(0);
  });
});
