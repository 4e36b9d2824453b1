import { ShoalError } from '../../errors/index.ts';

/**
 * What is read and written here of MQTT 3.1.1 (OASIS, 2014) itself: how long a packet says it is, and the head of a PUBLISH. All else is done by
 * MQTT.js on one end and aedes on the other. Clause numbers are those of that standard.
 */

/** Room for a topic and the fixed header in front of a frame. */
export const packetOverheadBytes = 1024;

export interface FixedHeader {
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/**
 * §2.2: `undefined` when more bytes are needed.
 * @throws `message.malformed` when the length takes more than four bytes (§2.2.3).
 */
export function readFixedHeader(bytes: Buffer, at: number): FixedHeader | undefined {
  let bodyBytes = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + 1 + i];
    if (byte === undefined) return undefined;
    bodyBytes += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return { bodyAt: at + 2 + i, bodyBytes };
  }
  throw new ShoalError('message.malformed', 'this is not MQTT: the length of a packet takes more than four bytes');
}

/** §3.3: all of a PUBLISH at QoS 0 but its payload, which follows as it is. */
export function encodePublishHeader(topic: string, payloadBytes: number): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const remaining = 2 + topicBytes + payloadBytes;
  const header = Buffer.allocUnsafe(1 + lengthOfLength(remaining) + 2 + topicBytes);
  header[0] = 0x30;
  const at = writeLength(header, 1, remaining);
  header.writeUInt16BE(topicBytes, at);
  header.write(topic, at + 2, 'utf8');
  return header;
}

function lengthOfLength(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}

function writeLength(into: Buffer, start: number, length: number): number {
  let at = start;
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) into[at++] = (rest % 128) | 0x80;
  into[at++] = rest;
  return at;
}
