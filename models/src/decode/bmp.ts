import { ShoalError } from '@shoal/protocol';
import type { RgbPicture } from './rgb-picture.ts';

const pixelArrayOffsetAt = 10;
const infoHeaderAt = 14;

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bitsPerPixel: number;
  readonly pixelsAt: number;
}

/**
 * Reads the header of an uncompressed Windows bitmap of 24 or 32 bits a pixel (BITMAPINFOHEADER and its successors, `BI_RGB`):
 * what cameras and screenshots write. libvips has no reader for it.
 * @throws `input.unsupported`, `input.corrupt`
 */
export function readBmpHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < infoHeaderAt + 40) throw new ShoalError('input.corrupt', 'the bitmap ends within its header');
  const width = view.getInt32(infoHeaderAt + 4, true);
  const height = view.getInt32(infoHeaderAt + 8, true);
  const bitsPerPixel = view.getUint16(infoHeaderAt + 14, true);
  const compression = view.getUint32(infoHeaderAt + 16, true);
  if (compression !== 0 || (bitsPerPixel !== 24 && bitsPerPixel !== 32)) {
    throw new ShoalError(
      'input.unsupported',
      `a bitmap of ${bitsPerPixel} bits with compression ${compression} cannot be read; save it as PNG`,
    );
  }
  if (width <= 0 || height === 0)
    throw new ShoalError('input.corrupt', `the bitmap says it is ${width} x ${height} pixels`);
  return {
    width,
    height: Math.abs(height),
    topDown: height < 0,
    bitsPerPixel,
    pixelsAt: view.getUint32(pixelArrayOffsetAt, true),
  };
}

/** The pixels as RGB. A fourth byte is padding, by the specification, and is left out. @throws `input.corrupt` */
export function readBmpPixels(bytes: Uint8Array, header: BmpHeader): RgbPicture {
  const { width, height, topDown, bitsPerPixel, pixelsAt } = header;
  const step = bitsPerPixel / 8;
  // Rows are padded to four bytes.
  const stride = (width * step + 3) & ~3;
  if (pixelsAt + stride * (height - 1) + width * step > bytes.length) {
    throw new ShoalError('input.corrupt', 'the bitmap ends before its last row');
  }
  const pixels = new Uint8Array(width * height * 3);
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = pixelsAt + stride * (topDown ? row : height - 1 - row);
    for (let column = 0; column < width; column++, from += step, to += 3) {
      pixels[to] = bytes[from + 2] as number;
      pixels[to + 1] = bytes[from + 1] as number;
      pixels[to + 2] = bytes[from] as number;
    }
  }
  return { pixels, width, height };
}
