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

/** Names that the `coap` package gives to options, and their numbers: those that a peer may not ignore, and those that are read here. */
const numbersOfNames: Readonly<Record<string, number>> = {
  'If-Match': 1,
  'Uri-Host': optionNumbers.uriHost,
  ETag: optionNumbers.etag,
  'If-None-Match': 5,
  Observe: optionNumbers.observe,
  'Uri-Port': optionNumbers.uriPort,
  'Location-Path': optionNumbers.locationPath,
  OSCORE: 9,
  'Uri-Path': optionNumbers.uriPath,
  'Content-Format': optionNumbers.contentFormat,
  'Max-Age': optionNumbers.maxAge,
  'Uri-Query': optionNumbers.uriQuery,
  Accept: optionNumbers.accept,
  'Q-Block1': 19,
  Block2: optionNumbers.block2,
  Block1: optionNumbers.block1,
  Size2: optionNumbers.size2,
  'Q-Block2': 31,
  'Proxy-Uri': 35,
  'Proxy-Scheme': 39,
  Size1: optionNumbers.size1,
};

/** An option as the package reads it from a datagram; what it does not know has its number as its name. */
export interface NamedOption {
  name: string | number;
  readonly value: unknown;
}

/**
 * The package puts bodies together from blocks by itself: on a server without a limit, by a key that other clients change with each block, on a client
 * without looking which block it was given (one that comes twice is in the body twice). Under its number alone it does not know an option, and leaves it
 * to us.
 */
export function keepFromPackage(options: NamedOption[]): void {
  for (const option of options) {
    const number = typeof option.name === 'string' ? numbersOfNames[option.name] : undefined;
    if (number !== undefined && !itsOwn.has(number)) option.name = String(number);
  }
}

/** What the package has to know: whether somebody observes, and what kind of body a FETCH has. */
const itsOwn: ReadonlySet<number> = new Set([optionNumbers.observe, optionNumbers.contentFormat]);

/** The options of one message, by number. To be made before the package changes their values to its own types. */
export class MessageOptions {
  readonly #options: { readonly number: number; readonly value: Buffer }[] = [];

  constructor(options: readonly NamedOption[]) {
    for (const { name, value } of options)
      if (Buffer.isBuffer(value)) this.#options.push({ number: numbersOfNames[name] ?? Number(name), value });
  }

  get numbers(): readonly number[] {
    return this.#options.map(({ number }) => number);
  }

  has(number: number): boolean {
    return this.first(number) !== undefined;
  }

  first(number: number): Buffer | undefined {
    return this.#options.find((option) => option.number === number)?.value;
  }

  texts(number: number): string[] {
    return this.#options.filter((option) => option.number === number).map(({ value }) => value.toString());
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
