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
 * The bodies of the parts of a multipart stream: each as soon as it is whole where its `Content-Length` says how long it is, else when the next delimiter has come.
 * @throws `input.too-large` for a part above the limit; `input.corrupt` for what has no delimiters
 */
export async function* partsOf(
  stream: AsyncIterable<Uint8Array>,
  boundary: string,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  const cutter = new PartCutter(boundary, limitBytes);
  for await (const chunk of stream) yield* cutter.push(chunk);
}

class PartCutter {
  readonly #delimiter: Buffer;
  readonly #limitBytes: number;
  /** What was not cut yet lies at the beginning; there is room for more behind it. */
  #held = Buffer.alloc(64 << 10);
  #length = 0;
  #searchedTo = 0;
  #begun = false;

  constructor(boundary: string, limitBytes: number) {
    this.#delimiter = Buffer.from(`--${boundary}`);
    this.#limitBytes = limitBytes;
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#append(chunk);
    for (let part = this.#next(); part; part = this.#next()) if (part.length > 0) yield part;
    if (this.#length <= this.#limitBytes + headerLimitBytes) return;
    throw this.#begun
      ? new ShoalError('input.too-large', `a picture of the stream is larger than ${this.#limitBytes} bytes`, {
          limitBytes: this.#limitBytes,
        })
      : new ShoalError('input.corrupt', 'the stream does not begin with the boundary of its content type');
  }

  #append(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#held.length) {
      const larger = Buffer.alloc(2 * (this.#length + chunk.length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    this.#held.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  /** The next part, empty for what stands before the first delimiter; `undefined` until more has come. */
  #next(): Buffer | undefined {
    const held = this.#held.subarray(0, this.#length);
    const told = this.#begun ? wholePart(held) : undefined;
    if (told) return this.#cut(told.from, told.to, told.to);
    const at = held.indexOf(this.#delimiter, this.#searchedTo);
    if (at >= 0) {
      const { from, to } = this.#begun ? bodyIn(held.subarray(0, at)) : { from: 0, to: 0 };
      return this.#cut(from, to, at + this.#delimiter.length, true);
    }
    // A delimiter may have come in part.
    this.#searchedTo = Math.max(0, this.#length - this.#delimiter.length);
    return undefined;
  }

  #cut(from: number, to: number, rest: number, begins = false): Buffer {
    const part = Buffer.from(this.#held.subarray(from, to));
    this.#held.copyWithin(0, rest, this.#length);
    this.#length -= rest;
    this.#searchedTo = 0;
    // A part of which the length was told is over: what comes before the next delimiter is nothing.
    this.#begun = begins;
    return part;
  }
}

/** Where a part begins that says how long it is, and is here to its end. */
function wholePart(held: Buffer): { readonly from: number; readonly to: number } | undefined {
  const from = afterHeaders(held);
  if (from === undefined) return undefined;
  const [, length] = /^content-length: *(\d{1,9})\r?$/im.exec(held.toString('latin1', 0, from)) ?? [];
  const to = from + Number(length);
  return length !== undefined && to <= held.length ? { from, to } : undefined;
}

/** Without its headers, and the line break before the next delimiter. */
function bodyIn(part: Buffer): { readonly from: number; readonly to: number } {
  const from = afterHeaders(part) ?? part.length;
  const breakLength = part.at(-1) === 0x0a ? (part.at(-2) === 0x0d ? 2 : 1) : 0;
  return { from, to: Math.max(from, part.length - breakLength) };
}

function afterHeaders(part: Buffer): number | undefined {
  const head = part.subarray(0, headerLimitBytes);
  const [crlf, lf] = [head.indexOf('\r\n\r\n'), head.indexOf('\n\n')];
  if (crlf >= 0 && (lf < 0 || crlf < lf)) return crlf + 4;
  return lf >= 0 ? lf + 2 : undefined;
}
