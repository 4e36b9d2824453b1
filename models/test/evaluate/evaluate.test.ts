import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { readClassDataset, readDetectionDataset } from '../../src/dataset/index.ts';
import { FramePool, PictureDecoder } from '../../src/decode/index.ts';
import { createOnnxEngine, createSimulatedEngine } from '../../src/engine/index.ts';
import { evaluateClassifier, evaluateDetector, measureProfile, parseYoloLabels } from '../../src/evaluate/index.ts';
import { aClassifier, aDetector, aScene, side } from '../engine/tiny-models.ts';
import { realModelStore, whenReachable } from '../real-models.ts';

const never = new AbortController().signal;
const frames = new FramePool(2);
const deps = { clock: systemClock, frames, decoder: new PictureDecoder({ frames }) };
const engine = createOnnxEngine({ logger: silentLogger });
afterAll(() => engine.dispose());

describe('labels', () => {
  it('are read line by line, empty lines left out', () => {
    expect(parseYoloLabels('3 .5 0.25 .1 .2\n\n 7  0 0 1 1 0.9\n', 'a.txt')).toEqual([
      { datasetClass: 3, centreX: 0.5, centreY: 0.25, width: 0.1, height: 0.2 },
      { datasetClass: 7, centreX: 0, centreY: 0, width: 1, height: 1 },
    ]);
  });

  it.each(['dog .5 .5 .1 .1', '1 .5 .5 .1', '1.5 .5 .5 .1 .1', '-1 .5 .5 .1 .1', '1 120 30 20 20'])(
    'are refused with file and line: %s',
    (line) => {
      expect(() => parseYoloLabels(`0 0 0 1 1\n${line}`, 'a.txt')).toThrow(/a\.txt, line 2/);
    },
  );
});

describe('a detection dataset', () => {
  it('finds labels beside a picture, in labels/ and where images/ says', async () => {
    const folder = await aFolder({
      'images/sub/a.png': '',
      'labels/sub/a.txt': '1 .5 .5 .1 .1',
      'b.png': '',
      'b.txt': '2 .5 .5 .1 .1',
      'images/c.png': '',
      'labels/c.txt': '',
      'd.png': '',
      'notes.md': '',
    });
    const { pictures, unlabelled } = await readDetectionDataset(folder, 10);
    const classes = pictures.map(({ name, labels }) => [name, labels.map(({ datasetClass }) => datasetClass)]);
    expect(Object.fromEntries(classes)).toEqual({
      'b.png': [2],
      'd.png': [],
      'images/c.png': [],
      'images/sub/a.png': [1],
    });
    expect(unlabelled).toBe(1);
    expect((await readDetectionDataset(folder, 2)).pictures).toHaveLength(2);
  });

  it.each([
    ['no pictures', { 'a.txt': '0 0 0 1 1' }],
    ['no labels', { 'a.png': '' }],
  ])('is refused with %s', async (_, files) => {
    await expect(readDetectionDataset(await aFolder(files), 10)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('is refused when it is not there', async () => {
    await expect(readDetectionDataset('/no/such/folder', 10)).rejects.toMatchObject({ code: 'io.failed' });
  });
});

describe('an evaluation', () => {
  it('compares what the model sees with the labels', async () => {
    const model = await engine.load(aDetector(), never);
    // Anchor 4 covers the whole picture, anchor 0 its upper left quarter. The model's classes are cat, (none), dog.
    const both = await aPicture(
      aScene([
        { anchor: 4, classIndex: 2, logit: 40 },
        { anchor: 0, classIndex: 0, logit: 30 },
      ]),
    );
    const labelled = (text: string) => [{ name: 'a', read: async () => both, labels: parseYoloLabels(text, 'a.txt') }];
    // The dog, class 1 of the dataset, is where it was seen; the cat is elsewhere.
    const right = await evaluateDetector(deps, model, labelled('1 .5 .5 1 1'), never);
    expect(right).toMatchObject({ pictures: 1, classes: 1, mAP50: 1, mAP: 1, precision: 0.5, recall: 1 });
    const wrong = await evaluateDetector(deps, model, labelled('1 .5 .5 1 1\n0 .75 .75 .5 .5'), never);
    expect(wrong).toMatchObject({ classes: 2, mAP50: 0.5, recall: 0.5 });
    expect(wrong.latency.p50Ms).toBeGreaterThan(0);
    const unknown = evaluateDetector(deps, model, labelled('2 .5 .5 1 1'), never);
    await expect(unknown).rejects.toThrow(/class 2; the model has 2/);
    await model.release();
  });

  it('names the picture that cannot be read', async () => {
    const model = await engine.load(aDetector(), never);
    const broken = { name: 'images/broken.jpg', read: async () => Uint8Array.of(0xff, 0xd8, 0xff), labels: [] };
    await expect(evaluateDetector(deps, model, [broken], never)).rejects.toMatchObject({
      code: 'input.corrupt',
      message: expect.stringMatching(/^images\/broken\.jpg: /),
    });
    await model.release();
  });

  it('counts the first and the first five names of a classifier', async () => {
    const model = await engine.load(aClassifier(), never);
    const of = (label: string, background: string) => ({
      name: label,
      label,
      read: () =>
        sharp({ create: { width: side, height: side, channels: 3, background } })
          .png()
          .toBuffer(),
    });
    const report = await evaluateClassifier(
      deps,
      model,
      [of('Red', '#f00'), of('green', '#0f8'), of('blue', '#f00')],
      never,
    );
    expect(report).toMatchObject({ pictures: 3, top1: 2 / 3, top5: 1 });
    const stranger = evaluateClassifier(deps, model, [of('purple', '#f0f')], never);
    await expect(stranger).rejects.toThrow(/purple/);
    await model.release();
  });

  it('reads classes from the names of folders', async () => {
    const folder = await aFolder({ 'red/a.png': '', 'green/b.png': '', 'c.png': '' });
    const pictures = await readClassDataset(folder, 10);
    expect(pictures.map(({ label, name }) => [label, name])).toEqual([
      ['green', 'green/b.png'],
      ['red', 'red/a.png'],
    ]);
  });
});

describe('a profile', () => {
  it('has the quantiles of its runs, on the clock it is given', async () => {
    const clock = new VirtualClock();
    const durations = [500, 500, ...Array.from({ length: 20 }, (_, i) => 10 + i)];
    const simulated = createSimulatedEngine(
      { clock },
      { concurrency: 1, queueLimit: 1, loadMs: () => 70, inferenceMs: () => durations.shift() ?? 0 },
    );
    const model = await clock.until(simulated.load(aDetector(), never));
    const profile = await clock.until(measureProfile({ clock }, model, { runs: 20 }, never));
    // The two runs that warm up are not counted.
    expect(profile).toMatchObject({ model: 'tiny-detector', samples: 20, loadMs: 70, minMs: 10, p50Ms: 19, p95Ms: 28 });
    expect(profile.spread).toBeCloseTo(10 / 38, 6);
  });

  it('ends when its time is up, with at least one run', async () => {
    const clock = new VirtualClock();
    const simulated = createSimulatedEngine(
      { clock },
      { concurrency: 1, queueLimit: 1, loadMs: () => 0, inferenceMs: () => 400 },
    );
    const model = await clock.until(simulated.load(aDetector(), never));
    const options = { warmUpRuns: 0, budgetMs: 1000, runs: 100 };
    expect((await clock.until(measureProfile({ clock }, model, options, never))).samples).toBe(3);
    expect((await clock.until(measureProfile({ clock }, model, { ...options, budgetMs: 0 }, never))).samples).toBe(1);
  });
});

const dataset = join(import.meta.dirname, '../../../../shared/data/coco-val64');
const here = existsSync(dataset);
if (!here) process.stderr.write('\nSKIPPED: the accuracy of the detectors: ../shared/data/coco-val64 is not there\n');

describe.skipIf(!here).each([
  ['efficientdet-lite0', 0.523, 0.341],
  ['efficientdet-lite1', 0.592, 0.41],
  ['efficientdet-lite2', 0.633, 0.446],
])('%s int8 on 64 pictures of COCO', async (name, leastMap50, leastMap) => {
  const store = realModelStore();
  const model = here ? await whenReachable(name, (signal) => store.resolve(name, 'int8', { signal })) : undefined;

  it.skipIf(!model)(`reaches mAP50 ${leastMap50} and mAP ${leastMap}, and what the catalogue says of it`, async () => {
    if (!model) throw new Error('it is skipped without a model');
    const { pictures } = await readDetectionDataset(dataset, Number.POSITIVE_INFINITY);
    expect(pictures).toHaveLength(64);
    const loaded = await engine.load(model, never);
    const report = await evaluateDetector(deps, loaded, pictures, never);
    await loaded.release();
    expect(report.mAP50).toBeGreaterThanOrEqual(leastMap50);
    expect(report.mAP).toBeGreaterThanOrEqual(leastMap);
    for (const { metric, value, objects } of model.variant.accuracy) {
      const measured = objects ? report.byObjects[objects] : report;
      if (metric !== 'top1') expect(measured[metric], `${metric} ${objects}`).toBeCloseTo(value, 2);
    }
  });
});

async function aFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-dataset-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** A picture of the tiny models' size with these first bytes. */
function aPicture(bytes: Uint8Array): Promise<Buffer> {
  const pixels = new Uint8Array(side * side * 3);
  pixels.set(bytes);
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}
