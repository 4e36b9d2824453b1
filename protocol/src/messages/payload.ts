import type { Message, MessageInit } from './generated/messages.ts';

export type PayloadName = NonNullable<Message['payload']>;

/** One kind of message and its content: `{ kind: 'telemetry', value: Telemetry }`. */
export type Payload = {
  [Name in PayloadName]: { readonly kind: Name; readonly value: NonNullable<Message[Name]> };
}[PayloadName];

/** What a sender writes: exactly one of the kinds, `{ telemetry: { cpuLoad: 0.5 } }`. */
export type PayloadInit = {
  [Name in PayloadName]: { readonly [Key in Name]: NonNullable<MessageInit[Name]> };
}[PayloadName];

/** The payload of a decoded message, or `undefined` for one of a later version that is not known here. */
export function payloadOf(message: Message): Payload | undefined {
  const kind = message.payload;
  if (kind === undefined) return undefined;
  return { kind, value: message[kind] } as Payload;
}
