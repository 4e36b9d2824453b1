import { type Block, decodeBlock, decodeUint } from './block-option.ts';

/** Numbers of the options that are used here (RFC 7252 §5.10, RFC 7641 §2, RFC 7959 §2.1 and §4, RFC 9175 §3.2). */
export const optionNumbers = {
  uriHost: 3,
  etag: 4,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  size1: 60,
  requestTag: 292,
} as const;

/** Where the value of an option is in its datagram. */
export interface OptionSpan {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** The options of one message, by number. */
export class MessageOptions {
  readonly #datagram: Buffer;
  readonly #spans: readonly OptionSpan[];

  constructor(datagram: Buffer, spans: readonly OptionSpan[]) {
    this.#datagram = datagram;
    this.#spans = spans;
  }

  get numbers(): readonly number[] {
    return this.#spans.map(({ number }) => number);
  }

  has(number: number): boolean {
    return this.#spans.some((span) => span.number === number);
  }

  first(number: number): Buffer | undefined {
    const span = this.#spans.find((each) => each.number === number);
    return span && this.#datagram.subarray(span.start, span.end);
  }

  texts(number: number, encoding: 'utf8' | 'latin1' = 'utf8'): string[] {
    const texts: string[] = [];
    for (const span of this.#spans)
      if (span.number === number) texts.push(this.#datagram.toString(encoding, span.start, span.end));
    return texts;
  }

  uint(number: number): number | undefined {
    const value = this.first(number);
    return value && decodeUint(value);
  }

  /** `undefined` where there is none, `'malformed'` for one that cannot be. */
  block(number: typeof optionNumbers.block1 | typeof optionNumbers.block2): Block | 'malformed' | undefined {
    const value = this.first(number);
    return value && (decodeBlock(value) ?? 'malformed');
  }
}
