export { type BodyHeader, countField, readBodyHeader } from './body-header.ts';
export type { Codec } from './codec.ts';
export * from './generated/messages.ts';
export { type Payload, type PayloadInit, type PayloadName, payloadOf } from './payload.ts';
