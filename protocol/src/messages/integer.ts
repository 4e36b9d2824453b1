/**
 * A 64-bit integer as a number. protobufjs gives a Long object when the `long` package happens to be installed. Beyond 2^53 the number is not
 * exact; the fields that matter are checked with `Number.isSafeInteger` where they are used.
 */
export function toNumber(
  value: number | { readonly low: number; readonly high: number; readonly unsigned?: boolean },
): number {
  if (typeof value === 'number') return value;
  const high = value.unsigned ? value.high >>> 0 : value.high;
  return high * 0x1_0000_0000 + (value.low >>> 0);
}
