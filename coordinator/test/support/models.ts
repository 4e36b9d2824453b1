import type { ModelManifest, ModelVariant } from '@shoal/models/manifest';
import { aModelDigest } from './scripted-device.ts';

const source = { url: 'file:model.onnx', sha256: aModelDigest, sizeBytes: 4_000_000 };

export function aVariant(change: Partial<ModelVariant> = {}): ModelVariant {
  return {
    name: 'int8',
    precision: 'int8',
    format: 'onnx',
    sha256: aModelDigest,
    sizeBytes: 4_000_000,
    source: { kind: 'file', from: source },
    outputs: {},
    accuracy: [],
    ...change,
  };
}

function aModel(name: string, task: ModelManifest['task']): ModelManifest {
  return {
    schema: 1,
    name,
    version: '1',
    title: name,
    task,
    licence: { spdx: 'Apache-2.0', source: 'here' },
    labels: ['thing'],
    input: {
      name: 'x',
      width: 4,
      height: 4,
      layout: 'NHWC',
      type: 'uint8',
      colour: 'rgb',
      fit: 'stretch',
      padValue: 0,
    },
    head: { kind: 'classification', scores: { name: 'y' }, activation: 'none', topK: 1 },
    variants: [aVariant(), aVariant({ name: 'float32', precision: 'float32', sizeBytes: 13_000_000 })],
  };
}

/** A catalogue for tests: both models have the one file. */
export const testModels: readonly ModelManifest[] = [
  aModel('tiny-detector', 'detect'),
  aModel('tiny-classifier', 'classify'),
];
