/** SHA-256 (FIPS 180-4) in one go: WebCrypto's answers later, and the rules of proofs want it now. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const state = Uint32Array.from(firstState);
  const blocks = padded(bytes);
  const words = new Uint32Array(64);
  for (let offset = 0; offset < blocks.byteLength; offset += 64) {
    for (let i = 0; i < 16; i++) words[i] = blocks.getUint32(offset + 4 * i);
    for (let i = 16; i < 64; i++)
      words[i] =
        at(words, i - 16) + mixed(at(words, i - 15), 7, 18, 3) + at(words, i - 7) + mixed(at(words, i - 2), 17, 19, 10);
    compress(state, words);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (const [i, word] of state.entries()) digest.setUint32(4 * i, word);
  return new Uint8Array(digest.buffer);
}

function compress(state: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const one =
      (h +
        (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
        ((e & f) ^ (~e & g)) +
        at(roundConstants, i) +
        at(words, i)) |
      0;
    const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = at(state, i) + word;
}

/** The message, a one, zeros, and its length in bits: whole blocks of 64 bytes. */
function padded(bytes: Uint8Array): DataView {
  const blocks = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  blocks.set(bytes);
  blocks[bytes.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setBigUint64(blocks.length - 8, BigInt(bytes.length) * 8n);
  return view;
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function mixed(word: number, one: number, two: number, shift: number): number {
  return turned(word, one) ^ turned(word, two) ^ (word >>> shift);
}

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

/** The first bits of the roots of the first primes (§4.2.2, §5.3.3), calculated rather than copied. */
const primes = firstPrimes(64);
const roundConstants = Uint32Array.from(primes, (prime) => rootBits(prime, 3n));
const firstState = Uint32Array.from(primes.slice(0, 8), (prime) => rootBits(prime, 2n));

function firstPrimes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n);
  return found;
}

/** 32 bits behind the point of a square or cube root: that of `n * 2^(32 * degree)`, whole, without what stood before the point. */
function rootBits(n: bigint, degree: 2n | 3n): number {
  const wanted = n << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= wanted) root += bit;
  return Number(root & 0xffff_ffffn);
}
