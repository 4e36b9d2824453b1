/** Randomness, as a port. Production uses the system's cryptographic source, the simulator a seeded one. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A sortable id: `prefix_` + 9 characters of time + 16 characters (80 bits) of randomness, Crockford base 32, lower case.
 * Ids made later sort later, so a store's primary key is in order of creation.
 */
export function newId(prefix: string, nowMs: number, random: Random): string {
  let time = '';
  for (let rest = Math.trunc(nowMs), i = 0; i < 9; i++) {
    time = idAlphabet.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (const byte of random.bytes(16)) tail += idAlphabet.charAt(byte & 31);
  return `${prefix}_${time}${tail}`;
}

/**
 * A seeded generator (sfc32, public domain, by Chris Doty-Humphrey): fast, and the same on every platform.
 * Never for keys.
 */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = (seed ^ 0x9e3779b9) >>> 0;
  let c = 0x243f6a88;
  let counter = 1;
  const next32 = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next32();
  return {
    next: () => next32() / 0x1_0000_0000,
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = next32();
      return bytes;
    },
  };
}
