import { ShoalError } from '@shoal/protocol';
import type load from 'sharp';
import type { Sharp } from 'sharp';
import type { ImageInput } from '../manifest/index.ts';
import { freeMemory } from '../memory/index.ts';
import { type Fit, fitPicture, type ModelFrame, type Region } from '../stages/index.ts';
import { readBmpHeader, readBmpPixels } from './bmp.ts';
import type { FramePool } from './frame-pool.ts';
import { jpegSize } from './jpeg-size.ts';
import { type PictureFormat, pictureFormat } from './picture-format.ts';
import type { RgbPicture } from './rgb-picture.ts';

export interface PictureDecoderOptions {
  /** Largest file. */
  readonly maxBytes: number;
  /** Most pixels, by the header, before anything is decoded. */
  readonly maxPixels: number;
  /** What shines through transparent places: 0..255, red, green, blue. */
  readonly background: readonly [number, number, number];
}

const defaultPictureDecoderOptions: PictureDecoderOptions = {
  maxBytes: 64 * 1024 * 1024,
  maxPixels: 200_000_000,
  background: [255, 255, 255],
};

/** What a frame is to be like. */
export type FrameShape = Pick<ImageInput, 'width' | 'height' | 'fit' | 'padValue'>;

/** A crop smaller than this share of the picture is cut out first and scaled then: the other way round scales too much. */
const smallCropShare = 1 / 8;

/**
 * Bilinear, as the models were trained with. Measured over Lite0, Lite1 and Lite2: cubic and Lanczos give up to 1.5 points of mAP
 * on one model and take as much on another, and cost more.
 */
const kernel = 'linear';

/**
 * Encoded pictures straight into a model's input: JPEG, PNG, WebP, GIF and TIFF (first frame), AVIF, BMP. The orientation of EXIF is
 * applied, transparency laid on the background, grey and CMYK made RGB. JPEG is scaled down while it is decoded.
 * sharp (libvips) is loaded by the first picture.
 */
export class PictureDecoder {
  readonly #frames: FramePool;
  readonly #options: PictureDecoderOptions;
  #sharp: Promise<typeof load> | undefined;

  constructor(deps: { readonly frames: FramePool }, options: Partial<PictureDecoderOptions> = {}) {
    this.#frames = deps.frames;
    this.#options = { ...defaultPictureDecoderOptions, ...options };
  }

  /**
   * The frame is taken from the pool; the caller gives it back. It is placed as `fitPicture` says, bars filled with `padValue`.
   * @throws `input.too-large` by the file's length or the header's size; `input.unsupported` when it is no picture of these formats;
   * `input.corrupt` when it ends early or contradicts itself; `aborted`
   */
  async decode(bytes: Uint8Array, input: FrameShape, signal: AbortSignal): Promise<ModelFrame> {
    signal.throwIfAborted();
    const { maxBytes } = this.#options;
    if (bytes.length > maxBytes) {
      throw new ShoalError('input.too-large', `the picture has ${bytes.length} bytes, the limit is ${maxBytes}`, {
        limit: maxBytes,
      });
    }
    const format = pictureFormat(bytes);
    if (!format) {
      throw new ShoalError(
        'input.unsupported',
        'this is not a picture of a known format: JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP',
      );
    }
    const frame =
      format === 'bmp' ? await this.#decodeBmp(bytes, input) : await this.#decodeEncoded(bytes, format, input);
    return this.#unlessAborted(frame, signal);
  }

  /** The same from pixels. @throws `input.invalid` when the pixels do not fit their size, `aborted` */
  async scale(picture: RgbPicture, input: FrameShape, signal: AbortSignal): Promise<ModelFrame> {
    signal.throwIfAborted();
    const { pixels, width, height } = picture;
    if (!(width >= 1 && height >= 1 && pixels.length === width * height * 3)) {
      throw new ShoalError('input.invalid', `${pixels.length} bytes are not ${width} x ${height} RGB pixels`);
    }
    return this.#unlessAborted(await this.#scale(picture, input), signal);
  }

  async #decodeEncoded(bytes: Uint8Array, format: PictureFormat, input: FrameShape): Promise<ModelFrame> {
    const load = await this.#load();
    const options = { failOn: 'error', limitInputPixels: false, autoOrient: true } as const;
    try {
      const size =
        (format === 'jpeg' ? jpegSize(bytes) : undefined) ?? (await load(bytes, options).metadata()).autoOrient;
      this.#checkPixels(size.width, size.height);
      // Once more by the library itself, which may read a broken header in another way.
      const limited = { ...options, limitInputPixels: this.#options.maxPixels };
      return await this.#render(load(bytes, limited), fitPicture(input, size.width, size.height), input);
    } catch (error) {
      if (error instanceof ShoalError) throw error;
      throw new ShoalError(
        'input.corrupt',
        `the ${format} cannot be read to its end: ${firstLine(error)}`,
        { format },
        { cause: error },
      );
    }
  }

  async #decodeBmp(bytes: Uint8Array, input: FrameShape): Promise<ModelFrame> {
    const header = readBmpHeader(bytes);
    this.#checkPixels(header.width, header.height);
    return this.#scale(readBmpPixels(bytes, header), input);
  }

  async #scale({ pixels, width, height }: RgbPicture, input: FrameShape): Promise<ModelFrame> {
    const load = await this.#load();
    const raw = { width, height, channels: 3 } as const;
    return this.#render(load(pixels, { raw, limitInputPixels: false }), fitPicture(input, width, height), input);
  }

  async #render(picture: Sharp, { from, to, placement }: Fit, input: FrameShape): Promise<ModelFrame> {
    const [red, green, blue] = this.#options.background;
    const { data, info } = await resized(picture, from, to, placement)
      .flatten({ background: { r: red, g: green, b: blue } })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels after decoding`);
    const pixels = this.#frames.take(input.width * input.height * 3);
    paste(data, to, pixels, input);
    freeMemory(data);
    return { pixels, placement };
  }

  #checkPixels(width: number, height: number): void {
    const { maxPixels } = this.#options;
    if (width * height > maxPixels) {
      throw new ShoalError(
        'input.too-large',
        `the picture is ${width} x ${height} pixels, the limit is ${maxPixels} in all`,
        {
          width,
          height,
          limit: maxPixels,
        },
      );
    }
  }

  #unlessAborted(frame: ModelFrame, signal: AbortSignal): ModelFrame {
    if (signal.aborted) this.#frames.give(frame);
    signal.throwIfAborted();
    return frame;
  }

  #load(): Promise<typeof load> {
    this.#sharp ??= import('sharp').then(({ default: sharp }) => {
      // Every picture is another one, and parallelism is between pictures: a cache and more threads only cost memory.
      sharp.cache(false);
      sharp.concurrency(1);
      return sharp;
    });
    return this.#sharp;
  }
}

function resized(picture: Sharp, from: Region, to: Region, source: ModelFrame['placement']): Sharp {
  const { width, height } = to;
  const isWhole = from.width === source.sourceWidth && from.height === source.sourceHeight;
  if (isWhole) return picture.resize({ width, height, fit: 'fill', kernel });
  const share = (from.width * from.height) / (source.sourceWidth * source.sourceHeight);
  if (share > smallCropShare) return picture.resize({ width, height, fit: 'cover', position: 'centre', kernel });
  return picture.extract(from).resize({ width, height, fit: 'fill', kernel });
}

/** Puts `source` (RGB, of the region's size) at its place in the frame and fills the rest. */
function paste(source: Uint8Array, region: Region, into: Uint8Array, input: FrameShape): void {
  const rowBytes = region.width * 3;
  if (region.width === input.width) {
    const start = region.top * rowBytes;
    fillShared(into, input.padValue, 0, start);
    into.set(source, start);
    fillShared(into, input.padValue, start + source.length, into.length);
    return;
  }
  fillShared(into, input.padValue, 0, into.length);
  for (let row = 0; row < region.height; row++) {
    const at = ((region.top + row) * input.width + region.left) * 3;
    into.set(source.subarray(row * rowBytes, (row + 1) * rowBytes), at);
  }
}

/** `fill` writes shared memory byte by byte; copying what is filled already, twice as much each time, takes an eighth of the time. */
function fillShared(into: Uint8Array, value: number, from: number, to: number): void {
  let filled = Math.min(to, from + 64);
  into.fill(value, from, filled);
  while (filled < to) {
    const count = Math.min(filled - from, to - filled);
    into.copyWithin(filled, from, from + count);
    filled += count;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
