import { isShoalError, type Random, ShoalError } from '@shoal/protocol';

/** The code that `action` is refused with, or `undefined` when it succeeds. Anything that is not a refusal (a crash, a defect) is thrown on. */
export function refusalOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!isShoalError(error) || error.code === 'defect') throw error;
    return error.code;
  }
}

/** The code that a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ShoalError) return error.code;
      throw error;
    },
  );
}

/** The same bytes with some of them flipped, cut out, doubled or put in. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let result = Buffer.from(bytes);
  const place = () => Math.floor(random.next() * (result.length + 1));
  for (let changes = 1 + Math.floor(random.next() * 3); changes > 0; changes--) {
    const at = place();
    const length = Math.floor(random.next() * 8);
    switch (Math.floor(random.next() * 4)) {
      case 0: {
        const byte = result[at];
        if (byte !== undefined) result[at] = byte ^ (1 << Math.floor(random.next() * 8));
        break;
      }
      case 1:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), random.bytes(length), result.subarray(at)]);
        break;
      default:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at, at + length), result.subarray(at)]);
    }
  }
  return result;
}
