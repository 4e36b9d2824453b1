import { ShoalError } from '../errors/index.ts';
import type { Message, Payload, PayloadName } from '../messages/index.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** How long to go on asking, ms. */
  readonly timeoutMs: number;
  /** The longest wait between two tries, ms. Left out: the messenger's. For what comes too late when it waits as long as the messenger may. */
  readonly resendMaxMs?: number;
  readonly attachments?: readonly Uint8Array[];
}

/** A peer's answer to a request. */
export interface Reply {
  readonly payload: Payload;
  readonly attachments: readonly Uint8Array[];
}

/** The content of a reply that must be of one kind. @throws `message.malformed` when it is of another. */
export function expectReply<Name extends PayloadName>(reply: Reply, kind: Name): NonNullable<Message[Name]> {
  if (reply.payload.kind !== kind) {
    throw new ShoalError('message.malformed', `the peer answered with ${reply.payload.kind} instead of ${kind}`);
  }
  return reply.payload.value as NonNullable<Message[Name]>;
}
