import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Identity, importPeerKey, type JoinToken, type PeerKey, ShoalError } from '@shoal/protocol';
import { loadOrCreateIdentity, systemRandom } from '@shoal/protocol/real';
import type { AgentStore, PinnedCoordinator } from '../store/index.ts';
import { DataFolderLock, openSqliteAgentStore } from '../store/sqlite/index.ts';

/** What an agent keeps on its disk, opened by one process at a time. */
export interface DataFolder {
  readonly path: string;
  readonly identity: Identity;
  readonly store: AgentStore;
  close(): Promise<void>;
}

/** Makes the folder and the key at first start. @throws `conflict` when another agent runs on it, `io.failed` */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  // Keys and passwords of cameras are in it.
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = DataFolderLock.take(path);
  try {
    const identity = await loadOrCreateIdentity(join(path, 'device.key'), 'device', systemRandom);
    const store = openSqliteAgentStore(join(path, 'agent.db'));
    return {
      path,
      identity,
      store,
      async close() {
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

export interface KnownCoordinator {
  readonly key: PeerKey;
  readonly addresses: readonly string[];
  /** Nothing is said to it, and believed of it, that is not sealed. */
  readonly seal: boolean;
}

/** Pins the coordinator of a token, or finds the one that was pinned before. @throws `token.invalid` when there is neither */
export async function coordinatorOf(store: AgentStore, token: JoinToken | undefined): Promise<KnownCoordinator> {
  if (token) {
    const { coordinator, addresses, seal = false } = token;
    await store.membership.pin({ publicKey: coordinator.publicKey, addresses, seal });
    return { key: coordinator, addresses, seal };
  }
  const pinned: PinnedCoordinator | undefined = store.membership.pinned();
  if (!pinned) {
    throw new ShoalError(
      'token.invalid',
      'this data folder has not joined a coordinator yet: shoal-agent join TOKEN --data DIR',
    );
  }
  return {
    key: importPeerKey('coordinator', pinned.publicKey),
    addresses: pinned.addresses,
    seal: pinned.seal ?? false,
  };
}
