import type { Reader, Writer } from 'protobufjs';
import { ShoalError } from '../errors/index.ts';

/** Turns one kind of message into bytes and back. */
export interface Codec<Message, Init> {
  readonly typeName: string;
  encode(message: Init): Uint8Array;
  /** @throws `message.malformed` when the bytes are not such a message. */
  decode(bytes: Uint8Array): Message;
}

/** What protobufjs' static code offers for a message type. */
interface StaticType {
  encode(message: unknown): Writer;
  decode(bytes: Uint8Array | Reader): unknown;
}

export function codec<Message, Init>(typeName: string, type: StaticType): Codec<Message, Init> {
  return {
    typeName,
    encode: (message) => type.encode(message).finish(),
    decode(bytes) {
      try {
        return type.decode(bytes) as Message;
      } catch (cause) {
        throw malformed(bytes, typeName, cause);
      }
    },
  };
}

export function malformed(bytes: Uint8Array, typeName: string, cause: unknown): ShoalError {
  return new ShoalError(
    'message.malformed',
    `these ${bytes.length} bytes are not a ${typeName}`,
    { typeName },
    { cause },
  );
}
