import { ShoalError } from '@shoal/protocol';
import type { LoadedModel } from '../engine/index.ts';
import type { ObjectCount } from '../manifest/index.ts';
import { type DetectionAccuracy, detectionAccuracy, type PictureOutcome, precisionAndRecall } from './coco-map.ts';
import { type EvaluationDeps, type EvaluationPicture, type Latency, runOver } from './run-over.ts';
import { boxOf, type YoloLabel } from './yolo-labels.ts';

export interface LabelledPicture extends EvaluationPicture {
  readonly labels: readonly YoloLabel[];
}

export interface DetectorReport extends DetectionAccuracy {
  readonly pictures: number;
  /** At the model's default score and IoU .50, over all classes. */
  readonly precision: number;
  readonly recall: number;
  /** On the pictures with so many things alone. */
  readonly byObjects: Readonly<Record<ObjectCount, DetectionAccuracy & { readonly pictures: number }>>;
  readonly latency: Latency;
}

/**
 * Low enough that the tail of the precision curve is there. Lower still, thousands of noise boxes enter the suppression and
 * nothing is gained.
 */
const evaluationScore = 0.01;

/**
 * Runs the detector over the pictures, one after the other, and compares. Class `n` of the dataset is the `n`th class that the
 * model reports: the 80 classes of COCO in their usual order.
 * @throws `input.invalid` for a label of a class that the model does not have; what `runPicture` throws, naming the picture
 */
export async function evaluateDetector(
  deps: EvaluationDeps,
  model: LoadedModel,
  pictures: readonly LabelledPicture[],
  signal: AbortSignal,
): Promise<DetectorReport> {
  const { head } = model.manifest;
  if (head.kind !== 'anchor-detection')
    throw new ShoalError('input.invalid', `${model.manifest.name} is not a detector`);
  const reported = model.manifest.labels.flatMap((label, classIndex) => (label === '' ? [] : [classIndex]));
  const outcomes: PictureOutcome[] = [];
  const parameters = { minScore: evaluationScore };
  const latency = await runOver(deps, model, pictures, parameters, signal, (picture, { output, width, height }) => {
    const truth = picture.labels.map((label) => {
      const classIndex = reported[label.datasetClass];
      if (classIndex !== undefined) return { classIndex, box: boxOf(label, width, height) };
      throw new ShoalError(
        'input.invalid',
        `${picture.name} is labelled with class ${label.datasetClass}; the model has ${reported.length}`,
      );
    });
    outcomes.push({ truth, seen: output.kind === 'detections' ? output.detections : [] });
  });
  const confident = outcomes.map(({ truth, seen }) => ({
    truth,
    seen: seen.filter(({ score }) => score >= head.defaultScore),
  }));
  return {
    pictures: outcomes.length,
    ...detectionAccuracy(outcomes),
    ...precisionAndRecall(confident, 0.5),
    byObjects: {
      few: accuracyOn(outcomes, 0, 3),
      some: accuracyOn(outcomes, 4, 7),
      many: accuracyOn(outcomes, 8, Number.POSITIVE_INFINITY),
    },
    latency,
  };
}

function accuracyOn(outcomes: readonly PictureOutcome[], least: number, most: number) {
  const some = outcomes.filter(({ truth }) => truth.length >= least && truth.length <= most);
  return { pictures: some.length, ...detectionAccuracy(some) };
}
