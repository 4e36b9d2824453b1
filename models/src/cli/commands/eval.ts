import type { Command } from 'commander';
import { readClassDataset, readDetectionDataset } from '../../dataset/index.ts';
import {
  type ClassifierReport,
  type DetectorReport,
  evaluateClassifier,
  evaluateDetector,
} from '../../evaluate/index.ts';
import { type CommandContext, withModel } from '../context.ts';
import { wholeNumber } from '../whole-number.ts';

const help = `
A detector is measured on pictures with YOLO labels, one file per picture, in labels/ or beside it:
  class cx cy w h        class 0..79 in the order of COCO, the rest as fractions of the picture
A classifier is measured on folders named like its classes, with pictures in them.

Figures:
  mAP50, mAP             COCO average precision at IoU .50, and over .50 to .95, as pycocotools computes it
  mAP few, some, many    on the pictures with up to three things, four to seven, more
  precision, recall      at the score that the model reports from by default, IoU .50
  top1, top5             share of the pictures whose class was named first, or among the first five
  p50, p95               ms from the bytes of a picture to its result, one at a time

Example:
  shoal-models eval efficientdet-lite0 my-pictures --json | jq .mAP50
`;

export function addEval(program: Command, context: () => CommandContext): void {
  program
    .command('eval')
    .description('measure the accuracy and the latency of a model on labelled pictures')
    .argument('<name>', 'a model, as `list` names it')
    .argument('<dir>', 'a folder with pictures and labels')
    .option('--variant <name>', "which variant (default: the model's first)")
    .option('--limit <n>', 'pictures at most', wholeNumber)
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(async (name: string, folder: string, options: { variant?: string; limit?: number; json?: true }) => {
      const at = context();
      const { variant, limit = Number.POSITIVE_INFINITY, json } = options;
      const { head } = at.store.catalogue.find(name, variant).manifest;
      // The folder is read first: a typing error in it should not cost a download.
      const dataset =
        head.kind === 'anchor-detection'
          ? { kind: 'detection' as const, ...(await readDetectionDataset(folder, limit)) }
          : { kind: 'classes' as const, pictures: await readClassDataset(folder, limit) };
      const total = dataset.pictures.length;
      const onProgress = (done: number) => at.progress(`${done} of ${total} pictures`);
      await withModel(at, name, variant, async (model, deps) => {
        const about = { model: name, variant: model.variant.name };
        if (dataset.kind === 'detection') {
          if (dataset.unlabelled > 0)
            at.say(`${dataset.unlabelled} pictures have no label file: taken as showing nothing`);
          const report = await evaluateDetector({ ...deps, onProgress }, model, dataset.pictures, at.signal);
          at.print(json ? JSON.stringify({ ...about, ...report }) : detectorText(about, report));
        } else {
          const report = await evaluateClassifier({ ...deps, onProgress }, model, dataset.pictures, at.signal);
          at.print(json ? JSON.stringify({ ...about, ...report }) : classifierText(about, report));
        }
      });
    });
}

interface About {
  readonly model: string;
  readonly variant: string;
}

function detectorText(about: About, report: DetectorReport): string {
  return [
    `${about.model} ${about.variant} on ${report.pictures} pictures, ${report.classes} classes`,
    `  mAP50      ${report.mAP50.toFixed(4)}`,
    `  mAP        ${report.mAP.toFixed(4)}`,
    `  precision  ${report.precision.toFixed(4)}`,
    `  recall     ${report.recall.toFixed(4)}`,
    ...Object.entries(report.byObjects).map(
      ([objects, { pictures, mAP }]) => `  ${`mAP ${objects}`.padEnd(9)}  ${mAP.toFixed(4)}  (${pictures} pictures)`,
    ),
    ...latencyText(report.latency),
  ].join('\n');
}

function classifierText(about: About, report: ClassifierReport): string {
  return [
    `${about.model} ${about.variant} on ${report.pictures} pictures`,
    `  top1       ${report.top1.toFixed(4)}`,
    `  top5       ${report.top5.toFixed(4)}`,
    ...latencyText(report.latency),
  ].join('\n');
}

function latencyText({ p50Ms, p95Ms }: DetectorReport['latency']): readonly string[] {
  return [`  p50        ${p50Ms.toFixed(1)} ms`, `  p95        ${p95Ms.toFixed(1)} ms`];
}
