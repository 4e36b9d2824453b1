import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadableModel } from '../../src/engine/index.ts';
import type { ModelManifest, ModelVariant } from '../../src/manifest/index.ts';
import { encodeOnnx, OnnxGraphBuilder } from '../../src/onnx-format/index.ts';
import type { ModelFrame } from '../../src/stages/index.ts';

/** Side of the tiny models' input, pixels. */
export const side = 8;
/** Anchors of the tiny detector: 2 x 2 cells of level 2, then one of level 3. */
export const anchorCount = 5;
export const tinyLabels = ['cat', '', 'dog'];
/** The byte that stands for zero, in boxes and logits. One step is 0.1. */
export const zero = 128;

const folder = mkdtempSync(join(tmpdir(), 'shoal-models-'));
const producer = { producer: 'shoal tests', opsets: { '': 17 }, metadata: {} };

/**
 * A detector that computes nothing: the first bytes of the picture are its outputs, 20 box bytes and then 15 logit bytes. So a
 * test writes into a frame what it wants to be detected.
 */
export function aDetector(change: Partial<ModelManifest> = {}): LoadableModel {
  const graph = new OnnxGraphBuilder();
  const input = graph.input('input', 'uint8', [1, side, side, 3]);
  const flat = graph.node('Reshape', [input, graph.constant('flat', [1], new BigInt64Array([-1n]))]);
  const part = (name: string, from: number, to: number, columns: number) => {
    const bounds = [from, to].map((at) => graph.constant(`at_${at}`, [1], new BigInt64Array([BigInt(at)])));
    const shape = graph.constant(`shape_${name}`, [3], BigInt64Array.from([1n, BigInt(anchorCount), BigInt(columns)]));
    const sliced = graph.node('Slice', [flat, ...bounds]);
    graph.output(name, 'uint8', [1, anchorCount, columns], graph.node('Reshape', [sliced, shape]));
  };
  part('boxes', 0, 20, 4);
  part('logits', 20, 35, 3);
  return loadable(encodeOnnx(graph.build(producer)), {
    name: 'tiny-detector',
    task: 'detect',
    labels: tinyLabels,
    head: {
      kind: 'anchor-detection',
      boxes: { name: 'boxes', quantization: { scale: 0.1, zeroPoint: zero } },
      logits: { name: 'logits', quantization: { scale: 0.1, zeroPoint: zero } },
      anchors: { minLevel: 2, maxLevel: 3, scalesPerOctave: 1, aspectRatios: [1], anchorScale: 1 },
      nms: { iou: 0.5, perClass: true, maxDetections: 4 },
      defaultScore: 0.6,
    },
    ...change,
  });
}

/** A float classifier, NCHW and normalised: its three scores are the means of the red, green and blue channel, 0..1. */
export function aClassifier(change: Partial<ModelManifest> = {}): LoadableModel {
  const graph = new OnnxGraphBuilder();
  const input = graph.input('input', 'float32', [1, 3, side, side]);
  const mean = graph.node('ReduceMean', [input], { axes: [2, 3], keepdims: 0 });
  graph.output('scores', 'float32', [1, 3], mean);
  return loadable(encodeOnnx(graph.build(producer)), {
    name: 'tiny-classifier',
    task: 'classify',
    labels: ['red', 'green', 'blue'],
    input: {
      ...imageInput,
      layout: 'NCHW',
      type: 'float32',
      fit: 'stretch',
      normalise: { mean: [0, 0, 0], std: [255, 255, 255] },
    },
    head: { kind: 'classification', scores: { name: 'scores' }, activation: 'none', topK: 3 },
    ...change,
  });
}

/** A classifier that takes its time: a tenth of a second and more of convolutions. */
export function aSlowModel(): LoadableModel {
  const graph = new OnnxGraphBuilder();
  const input = graph.input('input', 'float32', [1, 3, side, side]);
  const large = graph.constant('large', [4], BigInt64Array.from([1n, 3n, 512n, 512n]));
  const weights = (name: string, from: number, to: number) =>
    graph.constant(name, [to, from, 3, 3], new Float32Array(to * from * 9).fill(0.01));
  let value = graph.node('Resize', [input, '', '', large], { mode: 'nearest' });
  value = graph.node('Conv', [value, weights('first', 3, 48)]);
  for (const name of ['second', 'third']) value = graph.node('Conv', [value, weights(name, 48, 48)]);
  graph.output('scores', 'float32', [1, 48], graph.node('ReduceMean', [value], { axes: [2, 3], keepdims: 0 }));
  const { input: described } = aClassifier().manifest;
  return loadable(encodeOnnx(graph.build(producer)), { name: 'slow', input: described });
}

const imageInput = {
  name: 'input',
  width: side,
  height: side,
  layout: 'NHWC',
  type: 'uint8',
  colour: 'rgb',
  fit: 'letterbox-top-left',
  padValue: 127,
} as const;

/** Any bytes as a model file whose digest is right. */
export function loadable(file: Uint8Array, change: Partial<ModelManifest>): LoadableModel {
  const sha256 = createHash('sha256').update(file).digest('hex');
  const path = join(folder, `${sha256}.onnx`);
  writeFileSync(path, file);
  const variant: ModelVariant = {
    name: 'int8',
    precision: 'int8',
    format: 'onnx',
    sha256,
    sizeBytes: file.length,
    source: { kind: 'file', from: { url: `file:${path}`, sha256, sizeBytes: file.length } },
    outputs: {},
    accuracy: [],
  };
  const manifest: ModelManifest = {
    schema: 1,
    name: 'tiny',
    version: '1.0.0',
    title: 'Made for a test',
    task: 'detect',
    licence: { spdx: 'Apache-2.0', source: 'made for a test' },
    labels: tinyLabels,
    input: imageInput,
    head: { kind: 'classification', scores: { name: 'scores' }, activation: 'none', topK: 1 },
    variants: [variant],
    ...change,
  };
  return { manifest, variant, path };
}

/** A frame in shared memory; the source picture is `scale` times as large. */
export function aFrame(bytes: ArrayLike<number> = [], scale = 1): ModelFrame {
  const pixels = new Uint8Array(new SharedArrayBuffer(side * side * 3));
  pixels.set(bytes);
  const source = { sourceWidth: side * scale, sourceHeight: side * scale };
  return { pixels, placement: { ...source, scaleX: 1 / scale, scaleY: 1 / scale, offsetX: 0, offsetY: 0 } };
}

/** What the tiny detector is to see: for some anchors, box codes (in tenths) and one class with its logit (in tenths). */
export function aScene(
  findings: readonly { anchor: number; codes?: readonly number[]; classIndex: number; logit: number }[],
): Uint8Array {
  const bytes = new Uint8Array(35);
  bytes.fill(zero, 0, 20);
  for (const { anchor, codes = [0, 0, 0, 0], classIndex, logit } of findings) {
    codes.forEach((code, i) => {
      bytes[anchor * 4 + i] = zero + code;
    });
    bytes[20 + anchor * 3 + classIndex] = zero + logit;
  }
  return bytes;
}
