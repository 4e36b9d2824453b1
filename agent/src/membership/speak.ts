import type { PayloadInit, Reply, RequestOptions } from '@shoal/protocol';

/** Asks the coordinator. Throws what `Messenger.request` throws. */
export type Speak = (payload: PayloadInit, options: Omit<RequestOptions, 'attachments'>) => Promise<Reply>;
