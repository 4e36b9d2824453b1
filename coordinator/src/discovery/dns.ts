import { ShoalError, utf8 } from '@shoal/protocol';

/** What DNS-SD asks for (RFC 1035 §3.2.2, RFC 2782). */
export const recordTypes = { ptr: 12, txt: 16, srv: 33, any: 255 } as const;

export type DnsRecord =
  | { readonly type: 'ptr'; readonly name: string; readonly target: string }
  | { readonly type: 'srv'; readonly name: string; readonly target: string; readonly port: number }
  | { readonly type: 'txt'; readonly name: string; readonly texts: ReadonlyMap<string, string> };

export interface DnsQuestion {
  /** Its labels: one may hold a dot. */
  readonly name: readonly string[];
  readonly type: number;
}

const headerBytes = 12;
const mostRecords = 256;
/** RFC 1035 §2.3.4. */
const longestName = 255;
const isResponse = 0x8000;
const internet = 1;
/** A name goes on elsewhere (RFC 1035 §4.1.4). */
const pointer = 0xc0;

/** Between the labels of a name as this file gives it: no label holds one. */
export const labelEnd = '\0';

export function encodeQuery(questions: readonly DnsQuestion[]): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(questions.length, 4);
  return Buffer.concat([
    header,
    ...questions.flatMap(({ name, type }) => {
      const end = Buffer.alloc(5);
      end.writeUInt16BE(type, 1);
      end.writeUInt16BE(internet, 3);
      return [...name.map(encodeLabel), end];
    }),
  ]);
}

function encodeLabel(label: string): Uint8Array {
  const bytes = utf8(label).subarray(0, 63);
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

/** The records of a response that are read here; none of a query. Names are in lower case but for their first label. @throws `message.malformed` */
export function parseResponse(bytes: Uint8Array): readonly DnsRecord[] {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (packet.length < headerBytes) throw malformed('it ends in its header');
  if ((packet.readUInt16BE(2) & isResponse) === 0) return [];
  const questions = packet.readUInt16BE(4);
  const count = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  if (questions + count > mostRecords) throw malformed(`more than ${mostRecords} records`);
  let at = headerBytes;
  for (let i = 0; i < questions; i++) at = readName(packet, at).end + 4;
  const records: DnsRecord[] = [];
  for (let i = 0; i < count; i++) {
    const { name, end } = readName(packet, at);
    const data = end + 10;
    if (data > packet.length) throw malformed('it ends in a record');
    const next = data + packet.readUInt16BE(end + 8);
    if (next > packet.length) throw malformed('it ends in a record');
    const record = readRecord(packet, name, packet.readUInt16BE(end), data, next);
    if (record) records.push(record);
    at = next;
  }
  return records;
}

function readRecord(packet: Buffer, name: string, type: number, at: number, end: number): DnsRecord | undefined {
  switch (type) {
    case recordTypes.ptr:
      return { type: 'ptr', name, target: readName(packet, at).name };
    case recordTypes.srv:
      if (end - at < 7) throw malformed('a service without an address');
      return { type: 'srv', name, port: packet.readUInt16BE(at + 4), target: readName(packet, at + 6).name };
    case recordTypes.txt:
      return { type: 'txt', name, texts: readTexts(packet, at, end) };
    default:
      return undefined;
  }
}

/** `key=value` pairs, the first of a key counts (RFC 6763 §6.4). */
function readTexts(packet: Buffer, start: number, end: number): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (let at = start; at < end; ) {
    const length = packet.readUInt8(at);
    const next = at + 1 + length;
    if (next > end) throw malformed('a text that goes on after its record');
    const text = packet.toString('utf8', at + 1, next);
    const equals = text.indexOf('=');
    const key = (equals < 0 ? text : text.slice(0, equals)).toLowerCase();
    if (key !== '' && !texts.has(key)) texts.set(key, equals < 0 ? '' : text.slice(equals + 1));
    at = next;
  }
  return texts;
}

/** A name goes on only in what stands before it, so that reading it ends. */
function readName(packet: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  let length = 0;
  for (let at = start, before = start; ; ) {
    if (at >= packet.length) throw malformed('it ends in a name');
    const first = packet.readUInt8(at);
    if (first === 0) return { name: labels.join(labelEnd), end: end ?? at + 1 };
    if ((first & pointer) === pointer) {
      if (at + 1 >= packet.length) throw malformed('it ends in a name');
      const target = packet.readUInt16BE(at) & 0x3fff;
      if (target >= before) throw malformed('a name that goes on after itself');
      end ??= at + 2;
      at = target;
      before = target;
      continue;
    }
    if ((first & pointer) !== 0) throw malformed('a label of no known kind');
    length += first + 1;
    if (length > longestName || at + 1 + first > packet.length) throw malformed('a name that is too long');
    const label = packet.toString('utf8', at + 1, at + 1 + first).replaceAll(labelEnd, '');
    labels.push(labels.length === 0 ? label : label.toLowerCase());
    at += 1 + first;
  }
}

function malformed(why: string): ShoalError {
  return new ShoalError('message.malformed', `no answer of DNS: ${why}`);
}
