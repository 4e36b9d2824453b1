import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpegSize } from '../../src/decode/jpeg-size.ts';

const picture = sharp({ create: { width: 48, height: 20, channels: 3, background: '#456' } });

describe('the size of a JPEG', () => {
  it.each([
    ['baseline', {}],
    ['progressive', { progressive: true }],
    ['with tables of its own', { optimiseCoding: true, mozjpeg: true }],
  ])('is read from the header of one that is %s', async (_, options) => {
    expect(jpegSize(await picture.clone().jpeg(options).toBuffer())).toEqual({ width: 48, height: 20 });
  });

  it('is left to the library where EXIF may turn the picture', async () => {
    expect(jpegSize(await picture.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer())).toBeUndefined();
  });

  it('is not found in what has no frame header, an empty one or markers out of order', async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    for (const cut of [0, 2, 3, at, at + 9]) expect(jpegSize(bytes.subarray(0, cut))).toBeUndefined();
    const flat = Buffer.from(bytes);
    flat.writeUInt16BE(0, at + 5);
    expect(jpegSize(flat)).toBeUndefined();
    // A restart marker has no length: what follows is not to be jumped over.
    const restart = Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xd0]), bytes.subarray(2)]);
    expect(jpegSize(restart)).toBeUndefined();
  });

  it('is what the library says, or not known, however the header is broken', async () => {
    const whole = await picture.clone().jpeg().toBuffer();
    const headerBytes = whole.indexOf(Buffer.from([0xff, 0xda]));
    let known = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(headerBytes), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          const size = jpegSize(bytes);
          const metadata = await sharp(bytes, { limitInputPixels: false })
            .metadata()
            .catch(() => undefined);
          if (!size || metadata?.format !== 'jpeg') return;
          known += 1;
          expect({ width: metadata.width, height: metadata.height }).toEqual(size);
        },
      ),
      { numRuns: 2000 },
    );
    expect(known).toBeGreaterThan(100);
  });
});
