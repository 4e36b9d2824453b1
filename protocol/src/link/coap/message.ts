import { MessageOptions, type OptionSpan } from './options.ts';

/** Confirmable, non-confirmable, acknowledgement, reset: in the order of their numbers (RFC 7252 §3). */
const messageTypes = ['CON', 'NON', 'ACK', 'RST'] as const;

export type MessageType = (typeof messageTypes)[number];

/** One datagram (RFC 7252 §3). */
export interface Message {
  readonly type: MessageType;
  /** `0.02` is POST, `2.05` Content, `0.00` an empty message. */
  readonly code: string;
  /** 16 bits. */
  readonly messageId: number;
  /** At most 8 bytes, a character for each. */
  readonly token: string;
  readonly options: MessageOptions;
  readonly payload: Buffer;
}

export type WrittenOption = readonly [number: number, value: Uint8Array];

export interface WrittenMessage {
  readonly type: MessageType;
  readonly code: string;
  readonly messageId: number;
  readonly token?: string;
  /** In any order. */
  readonly options?: readonly WrittenOption[];
  readonly payload?: Uint8Array | undefined;
}

export const emptyCode = '0.00';

const codes = Array.from({ length: 256 }, (_, byte) => `${byte >> 5}.${String(byte & 31).padStart(2, '0')}`);
const bytesOfCodes: ReadonlyMap<string, number> = new Map(codes.map((code, byte) => [code, byte]));

const version = 1;
const headerBytes = 4;
const mostTokenBytes = 8;
const payloadMarker = 0xff;
const noBytes = Buffer.alloc(0);

/** `undefined` for what is no CoAP message. What is returned looks into the datagram. */
export function decodeMessage(datagram: Buffer): Message | undefined {
  const [first = 0, codeByte = 0] = datagram;
  const tokenEnd = headerBytes + (first & 15);
  const code = codes[codeByte];
  const type = messageTypes[(first >> 4) & 3];
  if (datagram.length < tokenEnd || first >> 6 !== version || tokenEnd > headerBytes + mostTokenBytes) return undefined;
  if (!type || code === undefined || (code === emptyCode && datagram.length > headerBytes)) return undefined;
  const spans: OptionSpan[] = [];
  const end = readOptions(datagram, tokenEnd, spans);
  if (end === undefined) return undefined;
  return {
    type,
    code,
    messageId: datagram.readUInt16BE(2),
    token: datagram.toString('latin1', headerBytes, tokenEnd),
    options: new MessageOptions(datagram, spans),
    payload: end < datagram.length ? datagram.subarray(end + 1) : noBytes,
  };
}

/** @returns where the payload's marker is, or the end of the datagram; `undefined` when it cannot be read */
function readOptions(datagram: Buffer, start: number, spans: OptionSpan[]): number | undefined {
  let number = 0;
  let at = start;
  const extended = (nibble: number): number => {
    if (nibble < 13) return nibble;
    // 15 is reserved.
    if (nibble === 15) return Number.NaN;
    const sizeBytes = nibble - 12;
    if (at + sizeBytes > datagram.length) return Number.NaN;
    const value = datagram.readUIntBE(at, sizeBytes) + (nibble === 13 ? 13 : 269);
    at += sizeBytes;
    return value;
  };
  while (at < datagram.length) {
    const byte = datagram[at] ?? 0;
    // A marker with nothing behind it is an error (RFC 7252 §3).
    if (byte === payloadMarker) return at + 1 < datagram.length ? at : undefined;
    at += 1;
    number += extended(byte >> 4);
    const end = extended(byte & 15) + at;
    // Also false for what is not a number.
    if (!(number <= 0xffff && end <= datagram.length)) return undefined;
    spans.push({ number, start: at, end });
    at = end;
  }
  return at;
}

export function encodeMessage(message: WrittenMessage): Buffer {
  const { type, code, messageId, token = '', payload } = message;
  const options = inOrder(message.options ?? []);
  const payloadBytes = payload?.length ?? 0;
  const sizeBytes = headerBytes + token.length + optionsBytes(options) + (payloadBytes > 0 ? 1 + payloadBytes : 0);
  // Memory of its own: some are kept, and would keep the pool that they are a share of.
  const datagram = Buffer.alloc(sizeBytes);
  datagram[0] = (version << 6) | (messageTypes.indexOf(type) << 4) | token.length;
  datagram[1] = bytesOfCodes.get(code) ?? 0;
  datagram.writeUInt16BE(messageId, 2);
  datagram.write(token, headerBytes, 'latin1');
  let at = headerBytes + token.length;
  let before = 0;
  for (const [number, value] of options) {
    const headAt = at++;
    const extend = (size: number) => {
      if (size < 13) return size;
      if (size < 269) {
        datagram[at++] = size - 13;
        return 13;
      }
      at = datagram.writeUInt16BE(size - 269, at);
      return 14;
    };
    const delta = extend(number - before);
    datagram[headAt] = (delta << 4) | extend(value.length);
    datagram.set(value, at);
    at += value.length;
    before = number;
  }
  if (payload && payloadBytes > 0) {
    datagram[at] = payloadMarker;
    datagram.set(payload, at + 1);
  }
  return datagram;
}

/** Those of the same number stay in their order. */
function inOrder(options: readonly WrittenOption[]): readonly WrittenOption[] {
  const isSorted = options.every(([number], i) => i === 0 || (options[i - 1]?.[0] ?? 0) <= number);
  return isSorted ? options : options.toSorted(([a], [b]) => a - b);
}

function optionsBytes(options: readonly WrittenOption[]): number {
  let sum = 0;
  let before = 0;
  for (const [number, value] of options) {
    sum += 1 + extensionBytes(number - before) + extensionBytes(value.length) + value.length;
    before = number;
  }
  return sum;
}

function extensionBytes(size: number): number {
  if (size < 13) return 0;
  return size < 269 ? 1 : 2;
}
