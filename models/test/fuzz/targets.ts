import { fromUtf8, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import sharp from 'sharp';
import { readBmpHeader, readBmpPixels } from '../../src/decode/bmp.ts';
import { FramePool, PictureDecoder } from '../../src/decode/index.ts';
import { jpegSize } from '../../src/decode/jpeg-size.ts';
import { pictureFormat } from '../../src/decode/picture-format.ts';
import { parseYoloLabels } from '../../src/evaluate/yolo-labels.ts';
import { parseIntegrity } from '../../src/fetch/integrity.ts';
import { parseSourceUrl } from '../../src/fetch/source-url.ts';
import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { catalogueManifests, type ImageInput, parseManifest } from '../../src/manifest/index.ts';
import { decodeOnnx, encodeOnnx } from '../../src/onnx-format/index.ts';
import { aTfliteSample } from './tflite-sample.ts';

const tflite = aTfliteSample();
const onnx = (['int8', 'float32'] as const).map((precision) => importTflite(tflite, precision).onnx);

const manifests = catalogueManifests.map((manifest) => ({ ...manifest, labels: manifest.labels.slice(0, 3) }));

const mostPixels = 100_000;
const input: ImageInput = {
  name: 'input',
  width: 32,
  height: 32,
  layout: 'NHWC',
  type: 'uint8',
  colour: 'rgb',
  fit: 'letterbox-top-left',
  padValue: 127,
};
const frames = new FramePool(1);
const decoder = new PictureDecoder({ frames }, { maxPixels: mostPixels, maxBytes: 500_000 });

const picture = () => sharp({ create: { width: 24, height: 16, channels: 3, background: { r: 250, g: 20, b: 90 } } });
const encoded = await Promise.all([
  picture().jpeg().toBuffer(),
  picture()
    .withExif({ IFD0: { Orientation: '6' } })
    .jpeg({ progressive: true })
    .toBuffer(),
  picture().png().toBuffer(),
  picture().webp().toBuffer(),
  picture().gif().toBuffer(),
  picture().tiff().toBuffer(),
]);
const bitmaps = [24, 32].map(aBitmap);

/** 6 x 5 pixels. */
function aBitmap(bitsPerPixel: number): Uint8Array {
  const bytes = Buffer.alloc(54 + 24 * 5);
  bytes.write('BM');
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(6, 18);
  bytes.writeInt32LE(5, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(bitsPerPixel, 28);
  return bytes;
}

async function decodePicture(bytes: Uint8Array): Promise<void> {
  const frame = await decoder.decode(bytes, input, new AbortController().signal);
  if (frame.pixels.length !== 32 * 32 * 3) throw new Error(`${frame.pixels.length} bytes of pixels`);
  frames.give(frame);
}

/** As the decoder does: no pixels are read before their number is known to be allowed. */
function readBitmap(bytes: Uint8Array): void {
  const header = readBmpHeader(bytes);
  if (header.width * header.height > mostPixels) return;
  const { pixels, width, height } = readBmpPixels(bytes, header);
  if (pixels.length !== width * height * 3) throw new Error('the pixels do not fit their size');
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

export const fuzzTargets: readonly FuzzTarget[] = [
  ...(['int8', 'float32'] as const).map(
    (precision): FuzzTarget => ({
      name: `TFLite file as ${precision}`,
      form: 'bytes',
      samples: [tflite],
      refuses: ['model.import'],
      cost: 8,
      take: (bytes) => void importTflite(bytes, precision),
    }),
  ),
  {
    name: 'ONNX file',
    form: 'protobuf',
    samples: onnx,
    refuses: ['model.import'],
    cost: 8,
    take: (bytes) => void encodeOnnx(decodeOnnx(bytes)),
  },
  {
    name: 'manifest',
    form: 'json',
    samples: manifests.map((manifest) => utf8(JSON.stringify(manifest))),
    refuses: ['model.manifest'],
    cost: 2,
    take(bytes) {
      const manifest = parseManifest(parse(bytes));
      // What was checked is taken again, as it is.
      parseManifest(JSON.parse(JSON.stringify(manifest)));
    },
  },
  {
    name: 'source of a model',
    form: 'text',
    samples: [
      'npm:@scope/name@1.2.3/a/b.tflite',
      'file:///a/b',
      'file:b',
      'https://h/x.onnx',
      'http://127.0.0.1:8/a',
    ].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      const location = parseSourceUrl(fromUtf8(bytes));
      if (location.kind === 'npm' && location.path.split('/').includes('..')) throw new Error('it climbs out');
      if (
        location.kind === 'web' &&
        location.url.protocol === 'http:' &&
        !/^(localhost|\[::1\]|127\.)/.test(location.url.hostname)
      )
        throw new Error(`${location.url.hostname} is asked without encryption`);
    },
  },
  {
    name: 'integrity of a package',
    form: 'text',
    samples: [utf8('sha512-abc= sha256-def?x'), utf8('sha384-aa')],
    refuses: ['input.invalid'],
    take: (bytes) => void parseIntegrity(fromUtf8(bytes)),
  },
  {
    name: 'labels of a picture',
    form: 'text',
    samples: [utf8('0 0.5 0.5 0.1 0.2\n17 0.25 0.25 0.5 0.5 0.9\n\n')],
    refuses: ['input.invalid'],
    take(bytes) {
      for (const { datasetClass, width } of parseYoloLabels(fromUtf8(bytes), 'a.txt'))
        if (!(datasetClass >= 0 && width >= 0 && width <= 1)) throw new Error('a label that is none');
    },
  },
  {
    name: 'head of a picture',
    form: 'bytes',
    samples: [...encoded, ...bitmaps],
    refuses: [],
    take(bytes) {
      pictureFormat(bytes);
      const size = jpegSize(bytes);
      if (size && !(size.width > 0 && size.height > 0 && size.width <= 0xffff)) throw new Error('a size that is none');
    },
  },
  {
    name: 'bitmap',
    form: 'bytes',
    samples: bitmaps,
    refuses: ['input.corrupt', 'input.unsupported'],
    take: readBitmap,
  },
  {
    name: 'picture',
    form: 'bytes',
    samples: [...encoded, ...bitmaps],
    refuses: ['input.corrupt', 'input.unsupported', 'input.too-large'],
    cost: 200,
    take: decodePicture,
  },
];
