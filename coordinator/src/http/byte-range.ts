import { ShoalError } from '@shoal/protocol';

/**
 * The one range of a `Range` header (RFC 9110 §14.1.2), clipped to the size. `undefined`: the header is missing, is of another
 * unit, or asks for several ranges; then all is sent, as §14.2 allows.
 * @throws `input.invalid` when the range begins past the end.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { readonly offset: number; readonly length: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const offset = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (offset >= sizeBytes || end < offset) {
    throw new ShoalError('input.invalid', `the range begins past the ${sizeBytes} bytes there are`, {
      field: 'range',
      sizeBytes,
    });
  }
  return { offset, length: end - offset + 1 };
}
