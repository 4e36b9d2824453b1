/** Block1 and Block2 (RFC 7959 §2.2): which block of a body this is, and whether more follow. */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** 16, 32 ... 1024 bytes. */
  readonly sizeBytes: number;
}

/** The largest that there is, and what fits into one datagram on every network (RFC 7252 §4.6). */
export const largestBlockBytes = 1024;

export function encodeBlock({ number, more, sizeBytes }: Block): Buffer {
  return encodeUint(number * 16 + (more ? 8 : 0) + (Math.log2(sizeBytes) - 4));
}

/** `undefined` for what is no such option. */
export function decodeBlock(value: Buffer): Block | undefined {
  if (value.length > 3) return undefined;
  const bits = decodeUint(value);
  const exponent = bits & 7;
  // 7 is reserved (RFC 7959 §2.2).
  if (exponent === 7) return undefined;
  return { number: bits >> 4, more: (bits & 8) !== 0, sizeBytes: 16 << exponent };
}

/** In as few bytes as it takes, none for 0 (RFC 7252 §3.2). */
export function encodeUint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}

/** Of at most four bytes; more are too much to be true, and read so. */
export function decodeUint(value: Buffer): number {
  if (value.length > 4) return Number.MAX_SAFE_INTEGER;
  return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
}
