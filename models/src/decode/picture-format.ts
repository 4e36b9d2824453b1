export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp';

/**
 * The format by the file's first bytes, or `undefined`. Names and content types are not believed: a picture that is called
 * something else is still read, and nothing but these formats ever reaches a decoder (an SVG could refer to other files).
 */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(text(0, 4))) return 'tiff';
  if (text(0, 2) === 'BM' && bytes.length > 26) return 'bmp';
  if (text(4, 8) === 'ftyp' && isAvif(bytes, text)) return 'avif';
  return undefined;
}

/** ISO/IEC 14496-12 §4.3: a major brand, a version, then the compatible brands, within the length of the first box. */
function isAvif(bytes: Uint8Array, text: (from: number, to: number) => string): boolean {
  const boxLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const brands: readonly string[] = text(8, Math.min(boxLength, bytes.length, 64)).match(/.{4}/gs) ?? [];
  return brands.includes('avif') || brands.includes('avis');
}
