export {
  BlockExchange,
  type BlockExchangeOptions,
  type BlockFetchOptions,
  defaultBlockExchangeOptions,
} from './block-exchange.ts';
export { type BlockFile, largestFileBytes } from './block-file.ts';
export type { BlockChannel, BlockChannelListener, BlockPeers, BlockPeersListener } from './block-peers.ts';
export type { BlockStore, PartFile, StoredFile } from './block-store.ts';
export type { DownloadProgress } from './download.ts';
export type { FleetCheck } from './introduction.ts';
export { Libp2pBlockPeers } from './libp2p-block-peers.ts';
export type { UploadLimits } from './upload-line.ts';
