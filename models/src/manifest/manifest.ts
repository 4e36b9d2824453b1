/**
 * A model manifest: everything an agent must know to run a model, as data. There is no code per model: pre-processing and
 * the decode head are chosen and parametrised here.
 */
export interface ModelManifest {
  readonly schema: 1;
  /** For example `efficientdet-lite0`. Lower case, digits, `-`. */
  readonly name: string;
  readonly version: string;
  /** One line for a person. */
  readonly title: string;
  readonly task: 'detect' | 'classify';
  readonly licence: { readonly spdx: string; readonly source: string };
  /** Label of class `i` of the head; an empty string for a class that is never reported. */
  readonly labels: readonly string[];
  readonly input: ImageInput;
  readonly head: DecodeHead;
  readonly variants: readonly ModelVariant[];
}

/** One picture: `uint8` or `float32` [1,height,width,3] (NHWC) or [1,3,height,width] (NCHW). */
export interface ImageInput {
  /** Name of the graph input. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly layout: 'NHWC' | 'NCHW';
  readonly type: 'uint8' | 'float32';
  readonly colour: 'rgb' | 'bgr';
  /**
   * - `letterbox-top-left`: keep the aspect ratio, picture in the top-left corner, the rest filled with `padValue`.
   * - `letterbox-centre`: the same, picture in the middle.
   * - `stretch`: to width x height, aspect ratio lost.
   * - `centre-crop`: the largest centred area of the input's aspect ratio.
   */
  readonly fit: 'letterbox-top-left' | 'letterbox-centre' | 'stretch' | 'centre-crop';
  /** 0..255, for the letterbox bars. */
  readonly padValue: number;
  /** `(value - mean) / std` per channel, on 0..255; only for `float32` inputs. */
  readonly normalise?: {
    readonly mean: readonly [number, number, number];
    readonly std: readonly [number, number, number];
  };
}

export type DecodeHead = AnchorDetectionHead | ClassificationHead;

/**
 * Raw EfficientDet-style outputs: per anchor four box codes `ty,tx,th,tw` [1,N,4] and class logits [1,N,classes], `uint8`
 * with the output's quantization, or `float32`.
 */
export interface AnchorDetectionHead {
  readonly kind: 'anchor-detection';
  readonly boxes: TensorRef;
  readonly logits: TensorRef;
  /** The anchors in the order of the outputs: levels from fine to coarse, rows, columns, then scale and ratio. */
  readonly anchors: {
    readonly minLevel: number;
    readonly maxLevel: number;
    readonly scalesPerOctave: number;
    /** Width to height. */
    readonly aspectRatios: readonly number[];
    readonly anchorScale: number;
  };
  readonly nms: { readonly iou: number; readonly perClass: boolean; readonly maxDetections: number };
  /** Score below which nothing is reported unless the caller asks for another. */
  readonly defaultScore: number;
}

/** Class scores [1,classes]: probabilities (`none`) or logits (`softmax`). */
export interface ClassificationHead {
  readonly kind: 'classification';
  readonly scores: TensorRef;
  readonly activation: 'none' | 'softmax';
  readonly topK: number;
}

/** A graph output by name, with how its bytes are read when it is quantized: `value = (byte - zeroPoint) * scale`. */
export interface TensorRef {
  readonly name: string;
  readonly quantization?: { readonly scale: number; readonly zeroPoint: number };
}

/** One file of a model. Its identity is its digest. */
export interface ModelVariant {
  /** `int8`, `float32`, `float16` ... Unique in the manifest. */
  readonly name: string;
  readonly precision: 'int8' | 'float16' | 'float32';
  readonly format: 'onnx';
  /** SHA-256 of the ONNX file, lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly source: VariantSource;
  /** What differs from the manifest's head for this variant: how its outputs are quantized. */
  readonly outputs: Readonly<Record<string, NonNullable<TensorRef['quantization']>>>;
  readonly accuracy: readonly MeasuredAccuracy[];
}

/** Where the file comes from: fetched as it is, or converted on this machine from a fetched file (same bytes everywhere). */
export type VariantSource =
  | { readonly kind: 'file'; readonly from: FileSource }
  | { readonly kind: 'tflite-import'; readonly from: FileSource; readonly precision: 'int8' | 'float32' };

/**
 * A file somewhere: `npm:package@version/path/in/package`, `file:relative-or-absolute`, or `https://...`.
 * `integrity` (npm sources) is the package's SRI string; `sha256` is the file's own digest and is always checked.
 */
export interface FileSource {
  readonly url: string;
  readonly integrity?: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export const objectCounts = ['few', 'some', 'many'] as const;
/** How many things are on a picture: `few` are up to three, `some` four to seven. */
export type ObjectCount = (typeof objectCounts)[number];

export interface MeasuredAccuracy {
  /** For example `COCO val2017, 64 images`. */
  readonly dataset: string;
  readonly metric: 'mAP50' | 'mAP' | 'top1';
  /** 0..1 */
  readonly value: number;
  /** Only on the pictures of the dataset with so many things; left out: on all of them. */
  readonly objects?: ObjectCount;
}
