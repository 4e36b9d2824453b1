import type { Codec } from '@shoal/protocol';
import * as protocol from '@shoal/protocol';

function isCodec(value: unknown): value is Codec<unknown, object> {
  return typeof value === 'object' && value !== null && 'typeName' in value && 'decode' in value;
}

/** The codec of every message type of the schema, by name. */
export const codecs: ReadonlyMap<string, Codec<unknown, object>> = new Map(
  Object.values<unknown>(protocol)
    .filter(isCodec)
    .map((codec) => [codec.typeName, codec]),
);
