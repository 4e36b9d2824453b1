import type { PayloadInit, Reply } from '@shoal/protocol';

/** Asks the coordinator. Throws what `Messenger.request` throws. */
export type Speak = (
  payload: PayloadInit,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<Reply>;
