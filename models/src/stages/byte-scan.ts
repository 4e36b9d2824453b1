const low7 = 0x7f7f7f7f;
const high1 = 0x80808080 | 0;

/**
 * Writes the positions of all bytes of at least `least` (1..255) into `into`, in rising order, and returns how many there
 * are; the count goes on past the end of `into`, up to `into.length + 1`, so that the caller sees that some did not fit.
 *
 * Four bytes are compared at once within a 32-bit word (SWAR): the seven low bits of each byte plus a constant carry into
 * the byte's own high bit exactly when they reach the threshold, and can carry no further. In a detection head all but
 * a few hundred of 1.7 million scores are below the threshold, so what counts is how fast a word is skipped.
 */
export function positionsAtLeast(bytes: Uint8Array, least: number, into: Int32Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const wordCount = aligned.length >> 2;
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, wordCount);
  const scan = least >= 192 ? scanTopQuarter : least > 128 ? scanUpperHalf : scanLowerHalf;
  const count = scan(aligned, words, least, into);
  return within(aligned, wordCount << 2, aligned.length, least, into, count);
}

/**
 * `least` in 192..255: what passes has its two high bits set, so one shift and one AND a word tell who may. Where detectors have their threshold, that
 * is one byte in ten thousand, and the scan takes two thirds of the time.
 */
function scanTopQuarter(bytes: Uint8Array, words: Int32Array, least: number, into: Int32Array): number {
  const blocks = words.length & ~7;
  let count = 0;
  let i = 0;
  for (; i < blocks && count <= into.length; i += 8) {
    const a = words[i] as number;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    const e = words[i + 4] as number;
    const f = words[i + 5] as number;
    const g = words[i + 6] as number;
    const h = words[i + 7] as number;
    const four = (a & (a << 1)) | (b & (b << 1)) | (c & (c << 1)) | (d & (d << 1));
    const more = (e & (e << 1)) | (f & (f << 1)) | (g & (g << 1)) | (h & (h << 1));
    if (((four | more) & high1) !== 0) count = within(bytes, i << 2, (i << 2) + 32, least, into, count);
  }
  return within(bytes, i << 2, words.length << 2, least, into, count);
}

/** `least` in 129..191: a byte passes when its high bit is set and its low bits reach `least - 128`. */
function scanUpperHalf(bytes: Uint8Array, words: Int32Array, least: number, into: Int32Array): number {
  const carry = Math.imul(256 - least, 0x01010101);
  const blocks = words.length & ~3;
  let count = 0;
  let i = 0;
  for (; i < blocks && count <= into.length; i += 4) {
    const a = words[i] as number;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    const hit =
      (((a & low7) + carry) & a) | (((b & low7) + carry) & b) | (((c & low7) + carry) & c) | (((d & low7) + carry) & d);
    if ((hit & high1) !== 0) count = within(bytes, i << 2, (i << 2) + 16, least, into, count);
  }
  return within(bytes, i << 2, words.length << 2, least, into, count);
}

/** `least` in 1..128: a byte passes when its high bit is set or its low bits reach `least`. */
function scanLowerHalf(bytes: Uint8Array, words: Int32Array, least: number, into: Int32Array): number {
  const carry = Math.imul(128 - least, 0x01010101);
  let count = 0;
  let i = 0;
  for (; i < words.length && count <= into.length; i++) {
    const a = words[i] as number;
    if (((((a & low7) + carry) | a) & high1) !== 0) count = within(bytes, i << 2, (i << 2) + 4, least, into, count);
  }
  return count;
}

function within(bytes: Uint8Array, from: number, to: number, least: number, into: Int32Array, found: number): number {
  let count = found;
  for (let at = from; at < to && count <= into.length; at++) {
    if ((bytes[at] as number) >= least) {
      if (count < into.length) into[count] = at;
      count += 1;
    }
  }
  return count;
}

/**
 * As {@link positionsAtLeast}, and when more pass than `into` holds, the strongest of them (of equals, the first). Returns
 * how many were written. `least` from 1 to 256; 256 finds nothing.
 */
export function strongestPositions(bytes: Uint8Array, least: number, into: Int32Array): number {
  if (least > 255) return 0;
  const count = positionsAtLeast(bytes, least, into);
  if (count <= into.length) return count;

  const bins = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) bins[bytes[i] as number] = (bins[bytes[i] as number] as number) + 1;
  let cut = 255;
  let above = 0;
  while (above + (bins[cut] as number) <= into.length) above += bins[cut--] as number;
  let written = cut < 255 ? positionsAtLeast(bytes, cut + 1, into) : 0;
  for (let at = bytes.indexOf(cut); at >= 0 && written < into.length; at = bytes.indexOf(cut, at + 1))
    into[written++] = at;
  return written;
}
