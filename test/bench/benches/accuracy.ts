import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sharedData } from '../../support/photos.ts';
import { absoluteFigure, type Bench, type Figure } from '../harness.ts';

const run = promisify(execFile);
const models = join(import.meta.dirname, '../../../models/bin/shoal-models.js');
const pictures = join(sharedData, 'coco-val64');

const goals = [
  { model: 'efficientdet-lite0', mAP50: 0.523, mAP: 0.341 },
  { model: 'efficientdet-lite1', mAP50: 0.592, mAP: 0.41 },
  { model: 'efficientdet-lite2', mAP50: 0.633, mAP: 0.446 },
];

export const accuracy: Bench = {
  name: 'accuracy',
  title: 'COCO accuracy of the int8 detectors on 64 labelled pictures',
  missing: () =>
    access(pictures).then(
      () => undefined,
      () => 'there are no labelled pictures in ../shared/data/coco-val64',
    ),
  async run(report) {
    const figures: Figure[] = [];
    for (const { model, ...least } of goals) {
      const { stdout } = await run(process.execPath, [models, 'eval', model, pictures, '--variant', 'int8', '--json'], {
        maxBuffer: 16 << 20,
      });
      const measured = JSON.parse(stdout) as { mAP50: number; mAP: number; latency: { p50Ms: number } };
      report.line(`${model}: ${measured.latency.p50Ms.toFixed(1)} ms a picture`);
      figures.push(absoluteFigure(`${model} mAP50`, 'mAP50', measured.mAP50, { atLeast: least.mAP50 }));
      figures.push(absoluteFigure(`${model} mAP`, 'mAP', measured.mAP, { atLeast: least.mAP }));
    }
    return figures;
  },
};
