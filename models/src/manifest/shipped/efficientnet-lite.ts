import type { ModelManifest } from '../manifest.ts';
import { imagenet1000Labels } from './labels/imagenet-1000.ts';

/** Google's EfficientNet-Lite0, a classifier. Licence: as stated in the metadata of the TFLite file. */
export const efficientNetLiteManifest: ModelManifest = {
  schema: 1,
  name: 'efficientnet-lite0',
  version: '1',
  title: 'EfficientNet-Lite0: names what a picture shows, out of 1,000 kinds',
  task: 'classify',
  licence: {
    spdx: 'Apache-2.0',
    source: 'https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite',
  },
  labels: imagenet1000Labels,
  input: {
    name: 'input',
    width: 224,
    height: 224,
    layout: 'NHWC',
    type: 'uint8',
    colour: 'rgb',
    fit: 'centre-crop',
    padValue: 127,
  },
  head: { kind: 'classification', scores: { name: 'scores' }, activation: 'none', topK: 5 },
  variants: [
    {
      name: 'int8',
      precision: 'int8',
      format: 'onnx',
      sha256: '9b7476fc3a2bb5f6b853aefd7bc976299f9f3d1877271c2ae87db7ba47f16c3f',
      sizeBytes: 4_929_252,
      source: {
        kind: 'tflite-import',
        precision: 'int8',
        from: {
          url: 'npm:react-native-npm-ai-sample-lib@0.1.4/ios/TFLite/efficientnet_lite0.tflite',
          integrity: 'sha512-rjeueqh4unUb2C7R9SxPYm3wHAz54WF0UAcje5oRy4oNHJ1yLxf6hIM9jQpnJbRyiQvZNBvvjHIMjtftvKBE4A==',
          sha256: 'aa03e4017f54fd5c743bd397b0a3e136fab0942f9c7cd715064a31ca3e4fc996',
          sizeBytes: 5_434_493,
        },
      },
      outputs: { scores: { scale: 0.00390625, zeroPoint: 0 } },
      accuracy: [],
    },
  ],
};
