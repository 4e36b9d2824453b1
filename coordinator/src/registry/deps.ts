import type { Clock, ImportPeerKey, LinkKind, Logger, PeerId, Random, SequenceStore } from '@shoal/protocol';
import type { Store } from '../store/index.ts';
import type { JoinTokens } from './join-tokens.ts';

export interface RegistryOptions {
  readonly telemetryIntervalMs: number;
  readonly livenessTimeoutMs: number;
  readonly deviceLimit: number;
}

/** What a registry stands on. */
export interface RegistryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer'>;
  readonly tokens: JoinTokens;
  /** To take a device's word for its new key. Left out: none is taken. */
  readonly successions?: { readonly coordinator: PeerId; readonly sequences: Pick<SequenceStore, 'lastReceived'> };
  /** Ends every connection of a device, where its link can. Left out: it cannot. */
  readonly cut?: (device: PeerId) => void;
  /** Left out: Ed25519. */
  readonly importKey?: ImportPeerKey;
  /** The links that reach a device now. Left out: it is not known. */
  readonly linksTo?: (device: PeerId) => readonly LinkKind[];
}
