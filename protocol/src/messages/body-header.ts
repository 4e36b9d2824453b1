import protobuf from 'protobufjs/minimal.js';
import { malformed } from './codec.ts';
import { toNumber } from './integer.ts';

/** What must be known of a Body to check its signature, and how much is in it. */
export interface BodyHeader {
  readonly version: number;
  readonly sender: string;
  readonly recipient: string;
  readonly sequence: number;
  readonly messageCount: number;
  readonly attachmentCount: number;
  /** Its messages are hidden. */
  readonly sealed: boolean;
}

/**
 * Reads the head of a serialised Body and only counts the rest. Decoding makes an object of every two bytes of a message list, so nothing is decoded
 * that nobody has signed for.
 * @throws `message.malformed`
 */
export function readBodyHeader(body: Uint8Array): BodyHeader {
  const header = {
    version: 0,
    sender: '',
    recipient: '',
    sequence: 0,
    messageCount: 0,
    attachmentCount: 0,
    sealed: false,
  };
  scan(body, 'Body', (reader, field, wireType) => {
    if (field === 1 && wireType === 0) header.version = reader.uint32();
    else if (field === 2 && wireType === 2) header.sender = reader.stringVerify();
    else if (field === 3 && wireType === 2) header.recipient = reader.stringVerify();
    else if (field === 4 && wireType === 0) header.sequence = toNumber(reader.uint64());
    else {
      if (field === 6) header.messageCount += 1;
      if (field === 7) header.attachmentCount += 1;
      if (field === 8) header.sealed = true;
      reader.skipType(wireType, 0, field);
    }
  });
  return header;
}

/** How often a field stands in a serialised message, at its top level. @throws `message.malformed` */
export function countField(bytes: Uint8Array, typeName: string, field: number): number {
  let count = 0;
  scan(bytes, typeName, (reader, found, wireType) => {
    if (found === field) count += 1;
    reader.skipType(wireType, 0, found);
  });
  return count;
}

function scan(
  bytes: Uint8Array,
  typeName: string,
  take: (reader: protobuf.Reader, field: number, wireType: number) => void,
): void {
  const reader = protobuf.Reader.create(bytes);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      take(reader, tag >>> 3, tag & 7);
    }
  } catch (cause) {
    throw malformed(bytes, typeName, cause);
  }
}
