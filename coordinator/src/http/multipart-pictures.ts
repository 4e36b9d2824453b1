import { ShoalError } from '@shoal/protocol';

const headerLimitBytes = 4 << 10;

/** The boundary of a `multipart` content type (RFC 2046 §5.1.1), `undefined` when it is none. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] =
    /^multipart\/[^;]+;.*\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  // Some cameras write the dashes of the delimiter into the boundary itself.
  return (quoted ?? plain)?.replace(/^--/, '');
}

/**
 * The bodies of the parts of a multipart stream, each as soon as the next delimiter has come.
 * @throws `input.too-large` for a part above the limit; `input.corrupt` for what has no delimiters
 */
export async function* partsOf(
  stream: AsyncIterable<Uint8Array>,
  boundary: string,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  const delimiter = Buffer.from(`--${boundary}`);
  let held = Buffer.alloc(0);
  let searchedTo = 0;
  let begun = false;
  for await (const chunk of stream) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    for (;;) {
      const at = held.indexOf(delimiter, searchedTo);
      if (at < 0) break;
      if (begun) {
        const body = bodyOf(held.subarray(0, at));
        if (body.length > 0) yield body;
      }
      begun = true;
      held = held.subarray(at + delimiter.length);
      searchedTo = 0;
    }
    // A delimiter may have come in part.
    searchedTo = Math.max(0, held.length - delimiter.length);
    if (held.length > limitBytes + headerLimitBytes)
      throw begun
        ? new ShoalError('input.too-large', `a picture of the stream is larger than ${limitBytes} bytes`, {
            limitBytes,
          })
        : new ShoalError('input.corrupt', 'the stream does not begin with the boundary of its content type');
  }
}

/** Without its headers, and the line break before the next delimiter. */
function bodyOf(part: Buffer): Buffer {
  const [crlf, lf] = [part.indexOf('\r\n\r\n'), part.indexOf('\n\n')];
  const from = crlf >= 0 && (lf < 0 || crlf < lf) ? crlf + 4 : lf >= 0 ? lf + 2 : part.length;
  const body = part.subarray(from);
  const end = body.at(-1) === 0x0a ? (body.at(-2) === 0x0d ? 2 : 1) : 0;
  return body.subarray(0, body.length - end);
}
