export {
  type Incoming,
  type MessageHandler,
  Messenger,
  type MessengerDeps,
  type MessengerOptions,
  type Outgoing,
  type PeerDirectory,
} from './messenger.ts';
export { expectReply, type Reply, type RequestOptions } from './request.ts';
export type { SealPolicy } from './sealing.ts';
