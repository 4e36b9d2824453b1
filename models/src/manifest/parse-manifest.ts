import { JsonField } from '@shoal/protocol';
import type {
  AnchorDetectionHead,
  ClassificationHead,
  DecodeHead,
  FileSource,
  ImageInput,
  MeasuredAccuracy,
  ModelManifest,
  ModelVariant,
  TensorRef,
  VariantSource,
} from './manifest.ts';
import { objectCounts } from './manifest.ts';

const maxLabels = 100_000;
const maxInputPixels = 8_192;
const maxModelBytes = 8 * 2 ** 30;
/** A pyramid level halves the input; no input is larger than 2^13. */
const maxPyramidLevel = 13;

/**
 * Checks a manifest that came from outside, completely, before anything else sees it.
 * @throws `model.manifest`; the message and the fact `field` name what is wrong, for example `manifest.variants[0].sha256`.
 */
export function parseManifest(json: unknown): ModelManifest {
  const root = new JsonField('manifest', json, 'model.manifest');
  const fields = root.object(
    'schema',
    'name',
    'version',
    'title',
    'task',
    'licence',
    'labels',
    'input',
    'head',
    'variants',
  );
  const licence = fields.licence.object('spdx', 'source');
  const task = fields.task.oneOf('detect', 'classify');
  const head = parseHead(fields.head);
  if ((head.kind === 'classification') !== (task === 'classify'))
    throw fields.head.wrong(`does not fit the task ${task}`);
  return {
    schema: fields.schema.oneOf(1),
    name: parseName(fields.name),
    version: fields.version.text({ pattern: /^[\w.+-]{1,64}$/, what: '1 to 64 letters, digits, `.`, `+`, `-`, `_`' }),
    title: fields.title.text(),
    task,
    licence: { spdx: licence.spdx.text(), source: licence.source.text() },
    labels: fields.labels.list(1, maxLabels).map((label) => label.text()),
    input: parseInput(fields.input),
    head,
    variants: parseVariants(fields.variants),
  };
}

function parseName(field: JsonField): string {
  return field.text({ pattern: /^[a-z0-9][a-z0-9-]{0,63}$/, what: '1 to 64 lower-case letters, digits, `-`' });
}

function parseInput(field: JsonField): ImageInput {
  const fields = field.object('name', 'width', 'height', 'layout', 'type', 'colour', 'fit', 'padValue', 'normalise?');
  const type = fields.type.oneOf('uint8', 'float32');
  if (type === 'uint8' && fields.normalise.value !== undefined)
    throw fields.normalise.wrong('is only for float32 inputs');
  return {
    name: fields.name.text(),
    width: fields.width.integer(1, maxInputPixels),
    height: fields.height.integer(1, maxInputPixels),
    layout: fields.layout.oneOf('NHWC', 'NCHW'),
    type,
    colour: fields.colour.oneOf('rgb', 'bgr'),
    fit: fields.fit.oneOf('letterbox-top-left', 'letterbox-centre', 'stretch', 'centre-crop'),
    padValue: fields.padValue.integer(0, 255),
    ...fields.normalise.optional('normalise', parseNormalise),
  };
}

function parseNormalise(field: JsonField): NonNullable<ImageInput['normalise']> {
  const { mean, std } = field.object('mean', 'std');
  return { mean: perChannel(mean, -1_000), std: perChannel(std, 1e-6) };
}

function perChannel(field: JsonField, least: number): [number, number, number] {
  const [first = 0, second = 0, third = 0] = field.list(3, 3).map((value) => value.number(least, 1_000));
  return [first, second, third];
}

function parseHead(field: JsonField): DecodeHead {
  switch (field.member('kind').oneOf('anchor-detection', 'classification')) {
    case 'anchor-detection':
      return parseDetectionHead(field);
    case 'classification':
      return parseClassificationHead(field);
  }
}

function parseDetectionHead(field: JsonField): AnchorDetectionHead {
  const fields = field.object('kind', 'boxes', 'logits', 'anchors', 'nms', 'defaultScore');
  const anchors = fields.anchors.object('minLevel', 'maxLevel', 'scalesPerOctave', 'aspectRatios', 'anchorScale');
  const nms = fields.nms.object('iou', 'perClass', 'maxDetections');
  const minLevel = anchors.minLevel.integer(1, maxPyramidLevel);
  return {
    kind: 'anchor-detection',
    boxes: parseTensor(fields.boxes),
    logits: parseTensor(fields.logits),
    anchors: {
      minLevel,
      maxLevel: anchors.maxLevel.integer(minLevel, maxPyramidLevel),
      scalesPerOctave: anchors.scalesPerOctave.integer(1, 16),
      aspectRatios: anchors.aspectRatios.list(1, 16).map((ratio) => ratio.number(0.01, 100)),
      anchorScale: anchors.anchorScale.number(0.01, 1_000),
    },
    nms: {
      iou: nms.iou.number(0, 1),
      perClass: nms.perClass.boolean(),
      maxDetections: nms.maxDetections.integer(1, 10_000),
    },
    defaultScore: fields.defaultScore.number(0, 1),
  };
}

function parseClassificationHead(field: JsonField): ClassificationHead {
  const fields = field.object('kind', 'scores', 'activation', 'topK');
  return {
    kind: 'classification',
    scores: parseTensor(fields.scores),
    activation: fields.activation.oneOf('none', 'softmax'),
    topK: fields.topK.integer(1, maxLabels),
  };
}

function parseTensor(field: JsonField): TensorRef {
  const { name, quantization } = field.object('name', 'quantization?');
  return { name: name.text(), ...quantization.optional('quantization', parseQuantization) };
}

function parseQuantization(field: JsonField): NonNullable<TensorRef['quantization']> {
  const { scale, zeroPoint } = field.object('scale', 'zeroPoint');
  return { scale: scale.number(Number.MIN_VALUE, 1e6), zeroPoint: zeroPoint.integer(0, 255) };
}

function parseVariants(field: JsonField): ModelVariant[] {
  const variants = field.list(1, 64).map(parseVariant);
  const twice = variants.findIndex((variant, index) => variants.findIndex(({ name }) => name === variant.name) < index);
  if (twice >= 0) throw (field.list(1, 64)[twice] ?? field).member('name').wrong('is the name of another variant too');
  return variants;
}

function parseVariant(field: JsonField): ModelVariant {
  const fields = field.object('name', 'precision', 'format', 'sha256', 'sizeBytes', 'source', 'outputs', 'accuracy');
  const source = parseSource(fields.source);
  const sha256 = parseSha256(fields.sha256);
  // What is fetched as it is has one digest, and it is stated twice.
  if (source.kind === 'file' && source.from.sha256 !== sha256)
    throw fields.sha256.wrong(`must be the sha256 of its source file, ${source.from.sha256}`);
  return {
    name: parseName(fields.name),
    precision: fields.precision.oneOf('int8', 'float16', 'float32'),
    format: fields.format.oneOf('onnx'),
    sha256,
    sizeBytes: fields.sizeBytes.integer(1, maxModelBytes),
    source,
    outputs: Object.fromEntries(fields.outputs.entries(64).map(([name, output]) => [name, parseQuantization(output)])),
    accuracy: fields.accuracy.list(0, 64).map(parseAccuracy),
  };
}

function parseSource(field: JsonField): VariantSource {
  const kind = field.member('kind').oneOf('file', 'tflite-import');
  if (kind === 'file') return { kind, from: parseFile(field.object('kind', 'from').from) };
  const { from, precision } = field.object('kind', 'from', 'precision');
  return { kind, from: parseFile(from), precision: precision.oneOf('int8', 'float32') };
}

function parseFile(field: JsonField): FileSource {
  const { url, integrity, sha256, sizeBytes } = field.object('url', 'integrity?', 'sha256', 'sizeBytes');
  return {
    url: url.text({
      pattern: /^(npm|file|https?):/,
      maxLength: 2_000,
      what: 'npm:package@version/path, file:path or https://...',
    }),
    ...integrity.optional('integrity', (value) =>
      value.text({ pattern: /^sha(256|384|512)-/, what: 'an SRI string such as sha512-...' }),
    ),
    sha256: parseSha256(sha256),
    sizeBytes: sizeBytes.integer(1, maxModelBytes),
  };
}

function parseSha256(field: JsonField): string {
  return field.text({ pattern: /^[0-9a-f]{64}$/, what: '64 lower-case hexadecimal digits' });
}

function parseAccuracy(field: JsonField): MeasuredAccuracy {
  const { dataset, metric, value, objects } = field.object('dataset', 'metric', 'value', 'objects?');
  return {
    dataset: dataset.text(),
    metric: metric.oneOf('mAP50', 'mAP', 'top1'),
    value: value.number(0, 1),
    ...objects.optional('objects', (each) => each.oneOf(...objectCounts)),
  };
}
