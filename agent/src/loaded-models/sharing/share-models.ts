import { blockFilesIn, type ModelManifest, PeerFetcher } from '@shoal/models';
import type { Clock, Logger, Random, Service } from '@shoal/protocol';
import { BlockExchange, type BlockPeers, defaultBlockExchangeOptions } from '@shoal/protocol/blocks';
import { askingPeersFirst } from '../asking-peers-first.ts';
import type { ModelShelf } from '../model-shelf.ts';

export interface ModelSharingOptions {
  readonly cacheDirectory: string;
  readonly manifests: readonly ModelManifest[];
  /** What is sent to other agents in a second, bytes; 0: nothing. Left out: 8 MB. */
  readonly uploadBytesPerSecond?: number | undefined;
}

/** The models of this device, in exchange with those of others. */
export interface ModelSharing {
  readonly service: Service;
  /** The shelf, with what is not on it asked of others before it is asked of its source. */
  askingFirst(shelf: ModelShelf): ModelShelf;
}

export function shareModels(
  deps: { readonly peers: BlockPeers; readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  { cacheDirectory, manifests, uploadBytesPerSecond }: ModelSharingOptions,
): ModelSharing {
  const { uploads } = defaultBlockExchangeOptions;
  const exchange = new BlockExchange(
    { ...deps, store: blockFilesIn(cacheDirectory, deps) },
    {
      uploads: { ...uploads, bytesPerSecond: uploadBytesPerSecond || uploads.bytesPerSecond },
      ...(uploadBytesPerSecond === 0 && { mostUploads: 0 }),
    },
  );
  const fetcher = new PeerFetcher({ ...deps, exchange }, { cacheDirectory });
  return {
    service: exchange,
    askingFirst: (shelf) =>
      askingPeersFirst({
        shelf,
        logger: deps.logger,
        peers: { fetch: (file, name, signal) => fetcher.fetch(file, name, { signal }) },
        isHeld: (file) => fetcher.has(file),
        fileOf(model, variant) {
          const variants = manifests.find(({ name }) => name === model)?.variants;
          return variant === '' ? variants?.[0] : variants?.find(({ name }) => name === variant);
        },
      }),
  };
}
