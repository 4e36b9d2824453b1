import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp, { type Color, type Sharp, type SharpOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { FramePool, PictureDecoder } from '../../src/decode/index.ts';
import type { ImageInput } from '../../src/manifest/index.ts';
import type { ModelFrame } from '../../src/stages/index.ts';

const never = new AbortController().signal;
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
const frames = new FramePool(2);
const decoder = new PictureDecoder({ frames });
const decode = (bytes: Uint8Array, change: Partial<ImageInput> = {}) =>
  decoder.decode(bytes, { ...input, ...change }, never);

const red = { r: 255, g: 0, b: 0 };
const blue = { r: 0, g: 0, b: 255 };

/** Left half red, right half blue. */
function aPicture(width = 64, height = 32): Sharp {
  const half = { create: { width: width / 2, height, channels: 3, background: blue } } as const;
  return sharp({ create: { width, height, channels: 3, background: red } }).composite([
    { input: half, left: width / 2, top: 0 },
  ]);
}

/** The colour at a place of the frame, rounded to tens: codecs are lossy. */
function colourAt({ pixels }: ModelFrame, x: number, y: number, width = input.width): readonly number[] {
  const at = (y * width + x) * 3;
  return [...pixels.subarray(at, at + 3)].map((value) => Math.round(value / 10) * 10);
}

const redish = [260, 0, 0];
const blueish = [0, 0, 260];
const grey = [130, 130, 130];
const near = (expected: readonly number[]) =>
  expected.map((value) => expect.toSatisfy((actual: number) => Math.abs(actual - value) <= 10));

describe('a picture', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('is read from %s into its place', async (format) => {
    const frame = await decode(await aPicture().toFormat(format).toBuffer());
    expect(frame.pixels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(frame.placement).toMatchObject({ sourceWidth: 64, sourceHeight: 32, scaleX: 0.5, scaleY: 0.5 });
    expect(colourAt(frame, 3, 8)).toEqual(near(redish));
    expect(colourAt(frame, 28, 8)).toEqual(near(blueish));
    expect(colourAt(frame, 3, 16)).toEqual(near(grey));
    expect(colourAt(frame, 31, 31)).toEqual(near(grey));
  });

  it('has no trace of the frame that had the memory before', async () => {
    const white = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const first = await decode(white);
    frames.give(first);
    const second = await decode(await aPicture().png().toBuffer(), { fit: 'letterbox-centre' });
    expect(second.pixels).toBe(first.pixels);
    expect(colourAt(second, 5, 3)).toEqual(near(grey));
    expect(colourAt(second, 5, 15)).toEqual(near(redish));
    expect(colourAt(second, 5, 28)).toEqual(near(grey));
  });

  it('lies in the middle of bars at its sides, when letterboxed there', async () => {
    const frame = await decode(await aPicture(32, 64).png().toBuffer(), { fit: 'letterbox-centre' });
    expect(colourAt(frame, 4, 10)).toEqual(near(grey));
    expect(colourAt(frame, 10, 10)).toEqual(near(redish));
    expect(colourAt(frame, 21, 10)).toEqual(near(blueish));
    expect(colourAt(frame, 27, 10)).toEqual(near(grey));
  });

  it.each([
    [64, 32],
    [3200, 32],
  ])('is cropped to its middle out of %i x %i', async (width, height) => {
    const frame = await decode(await aPicture(width, height).png().toBuffer(), { fit: 'centre-crop' });
    expect(colourAt(frame, 8, 30)).toEqual(near(redish));
    expect(colourAt(frame, 24, 2)).toEqual(near(blueish));
  });

  it('is turned as its EXIF orientation says, and measured as a person sees it', async () => {
    // Orientation 6: to be turned right by 90 degrees. Red is on top then.
    const frame = await decode(await aPicture().jpeg().withMetadata({ orientation: 6 }).toBuffer());
    expect(frame.placement).toMatchObject({ sourceWidth: 32, sourceHeight: 64 });
    expect(colourAt(frame, 8, 3)).toEqual(near(redish));
    expect(colourAt(frame, 8, 28)).toEqual(near(blueish));
    expect(colourAt(frame, 20, 3)).toEqual(near(grey));
  });

  it('shows white through what is transparent', async () => {
    const clear = sharp({ create: { width: 32, height: 32, channels: 4, background: { ...red, alpha: 0 } } });
    expect(colourAt(await decode(await clear.png().toBuffer()), 9, 9)).toEqual([260, 260, 260]);
  });

  it('is RGB, when it was grey, grey and transparent, CMYK or 16 bits deep', async () => {
    const flat = sharp({ create: { width: 32, height: 32, channels: 3, background: { r: 100, g: 100, b: 100 } } });
    for (const bytes of [
      await flat.clone().greyscale().jpeg().toBuffer(),
      await flat.clone().greyscale().ensureAlpha(1).png().toBuffer(),
      await flat.clone().toColourspace('cmyk').jpeg().toBuffer(),
      await flat.clone().toColourspace('rgb16').png().toBuffer(),
    ]) {
      const [r = 0, g = 0, b = 0] = colourAt(await decode(bytes), 9, 9);
      expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThanOrEqual(30);
      expect(Math.abs(g - 100)).toBeLessThanOrEqual(30);
    }
  });

  it('is the first one of an animation', async () => {
    const pages = await Promise.all([red, blue].map((background) => solid(background)));
    const animation = await sharp(pages, { join: { animated: true } })
      .gif()
      .toBuffer();
    const frame = await decode(animation);
    expect(frame.placement).toMatchObject({ sourceWidth: 32, sourceHeight: 32 });
    expect(colourAt(frame, 9, 28)).toEqual(near(redish));
  });

  it.each([
    [24, false],
    [32, true],
  ])('is read from a bitmap of %i bits (top row first: %s)', async (bits, topDown) => {
    const frame = await decode(aBitmap(6, 4, bits, topDown));
    expect(frame.placement).toMatchObject({ sourceWidth: 6, sourceHeight: 4 });
    expect(colourAt(frame, 2, 1)).toEqual(near(redish));
    expect(colourAt(frame, 29, 18)).toEqual(near(blueish));
  });

  it('can be pixels that were decoded before', async () => {
    const pixels = new Uint8Array(64 * 64 * 3).fill(200);
    const frame = await decoder.scale({ pixels, width: 64, height: 64 }, input, never);
    expect(colourAt(frame, 16, 16)).toEqual([200, 200, 200]);
    const wrong = decoder.scale({ pixels, width: 64, height: 63 }, input, never);
    await expect(wrong).rejects.toMatchObject({ code: 'input.invalid' });
  });
});

describe('bad input', () => {
  it('is refused by its length', async () => {
    const small = new PictureDecoder({ frames }, { maxBytes: 10 });
    await expect(small.decode(new Uint8Array(11), input, never)).rejects.toMatchObject({ code: 'input.too-large' });
  });

  it('is refused by its header when it is 60,000 x 60,000, before anything is decoded', async () => {
    for (const bytes of [hugePng(), await hugeJpeg(), hugeBitmap()]) {
      const startedMs = performance.now();
      await expect(decode(bytes)).rejects.toMatchObject({
        code: 'input.too-large',
        facts: { width: 60_000, height: 60_000 },
      });
      // 10.8 GB of pixels take longer.
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });

  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'is corrupt when a %s ends early',
    async (format) => {
      const noise = {
        create: { width: 200, height: 200, channels: 3, noise: { type: 'gaussian', mean: 90, sigma: 60 } },
      };
      const whole = await sharp(noise as SharpOptions)
        .toFormat(format)
        .toBuffer();
      for (const share of [0.05, 0.5, 0.9]) {
        const cut = whole.subarray(0, Math.max(20, Math.floor(whole.length * share)));
        await expect(decode(cut), `${share}`).rejects.toMatchObject({ code: 'input.corrupt' });
      }
    },
  );

  it('is corrupt when a bitmap ends early, and unsupported when it is compressed', async () => {
    const bitmap = aBitmap(6, 4, 24, false);
    await expect(decode(bitmap.subarray(0, 60))).rejects.toMatchObject({ code: 'input.corrupt' });
    await expect(decode(bitmap.subarray(0, 30))).rejects.toMatchObject({ code: 'input.corrupt' });
    bitmap[30] = 1;
    await expect(decode(bitmap)).rejects.toMatchObject({ code: 'input.unsupported' });
  });

  it.each([
    ['nothing', ''],
    ['text', 'hello, this is not a picture'],
    ['a drawing that could refer to files', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['a document', '%PDF-1.7 1 0 obj'],
  ])('is unsupported when it is %s', async (_, text) => {
    await expect(decode(new TextEncoder().encode(text))).rejects.toMatchObject({ code: 'input.unsupported' });
  });

  it('is a picture all the same when its name says otherwise: the bytes count', async () => {
    await expect(decode(await aPicture().webp().toBuffer())).resolves.toBeDefined();
  });

  it('ends in an error with a code, whatever the bytes are (400 cases, others each time)', async () => {
    const whole = await Promise.all(
      (['jpeg', 'png', 'gif', 'webp', 'tiff'] as const).map((format) => aPicture().toFormat(format).toBuffer()),
    );
    whole.push(Buffer.from(aBitmap(6, 4, 24, false)));
    const mutated = fc
      .tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }), fc.nat())
      .map(([bytes, changes, length]) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy.subarray(0, copy.length - (length % 3 === 0 ? length % copy.length : 0));
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        const outcome = await decode(bytes).then(
          (frame) => frame.pixels.length,
          (error: { code?: string }) => error.code,
        );
        if (typeof outcome === 'number') expect(outcome).toBe(32 * 32 * 3);
        else expect(outcome).toMatch(/^input\.(corrupt|unsupported|too-large)$/);
      }),
      { numRuns: 400 },
    );
  });

  it('is not looked at when nobody waits for it any more', async () => {
    await expect(decoder.decode(await aPicture().png().toBuffer(), input, AbortSignal.abort())).rejects.toThrow();
  });
});

describe('a frame pool', () => {
  it('gives a frame of the right size again, and keeps no more than its limit', () => {
    const pool = new FramePool(2);
    const [a, b, c] = [pool.take(3), pool.take(3), pool.take(6)];
    for (const pixels of [a, b, c]) pool.give({ pixels });
    expect(pool.take(6)).toBe(c);
    expect(pool.take(3)).toBe(b);
    expect(pool.take(3)).not.toBe(a);
  });
});

function solid(background: Color): Promise<Buffer> {
  return sharp({ create: { width: 32, height: 32, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Left half red, right half blue. */
function aBitmap(width: number, height: number, bits: number, topDown: boolean): Uint8Array {
  const step = bits / 8;
  const stride = (width * step + 3) & ~3;
  const bytes = new Uint8Array(54 + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, topDown ? -height : height, true);
  view.setUint16(28, bits, true);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) bytes[54 + y * stride + x * step + (x < width / 2 ? 2 : 0)] = 255;
  return bytes;
}

function hugeBitmap(): Uint8Array {
  const bytes = aBitmap(6, 4, 24, false);
  new DataView(bytes.buffer).setInt32(18, 60_000, true);
  new DataView(bytes.buffer).setInt32(22, 60_000, true);
  return bytes;
}

function hugePng(): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.from([0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

async function hugeJpeg(): Promise<Uint8Array> {
  const bytes = await aPicture().jpeg().toBuffer();
  const frameHeader = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(60_000, frameHeader + 5);
  bytes.writeUInt16BE(60_000, frameHeader + 7);
  return bytes;
}
