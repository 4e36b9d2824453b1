import { randomFillSync } from 'node:crypto';
import type { Random } from '../random.ts';

/** Asking the system costs about the same for 16 bytes as for some thousand: they are fetched ahead, and each is given out once. */
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

export const systemRandom: Random = {
  next: () => take(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: take,
};

function take(length: number): Buffer {
  if (length > pool.length) return randomFillSync(Buffer.allocUnsafeSlow(length));
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + length));
  // What was given out, a key for example, is not kept here.
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}
