import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Identity, importPeerKey, type JoinToken, type PeerKey, ShoalError } from '@shoal/protocol';
import { loadOrCreateIdentity, NextIdentity, systemRandom } from '@shoal/protocol/real';
import type { AgentStore, PinnedCoordinator } from '../store/index.ts';
import { DataFolderLock, openSqliteAgentStore } from '../store/sqlite/index.ts';

const keyFile = 'device.key';

/** What an agent keeps on its disk, opened by one process at a time. */
export interface DataFolder {
  readonly path: string;
  /** The key that the agent uses. */
  readonly identity: Identity;
  /** There while that key is new to the coordinator. */
  readonly succession?: KeySuccession;
  readonly store: AgentStore;
  close(): Promise<void>;
}

/** A key that takes the place of another: it is used already, and the other one is kept until the coordinator has taken it. */
export interface KeySuccession {
  readonly former: Identity;
  /** The coordinator knows the new key: the former one is deleted. */
  done(): Promise<void>;
  /** The coordinator does not want it: the former one stays. */
  undo(): Promise<void>;
}

/**
 * Makes the key that the agent uses from its next start on. Its coordinator is told then.
 * @throws `token.invalid` when no agent ever ran on the folder; `io.failed`
 */
export async function prepareNewKey(folder: string): Promise<void> {
  const path = resolve(folder);
  if (!existsSync(join(path, 'agent.db'))) throw notJoined();
  await nextIdentity(path).prepare(systemRandom);
}

/** Makes the folder and the key at first start. @throws `conflict` when another agent runs on it, `io.failed` */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  // Keys and passwords of cameras are in it.
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = DataFolderLock.take(path);
  try {
    const current = await loadOrCreateIdentity(join(path, keyFile), 'device', systemRandom);
    const next = nextIdentity(path);
    const identity = await next.load();
    const succession = identity && { former: current, done: () => next.adopt(), undo: () => next.drop() };
    const store = openSqliteAgentStore(join(path, 'agent.db'));
    return {
      path,
      identity: identity ?? current,
      ...(succession && { succession }),
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
  if (!pinned) throw notJoined();
  return {
    key: importPeerKey('coordinator', pinned.publicKey),
    addresses: pinned.addresses,
    seal: pinned.seal ?? false,
  };
}

function nextIdentity(path: string): NextIdentity {
  return new NextIdentity(join(path, keyFile), 'device');
}

function notJoined(): ShoalError {
  return new ShoalError(
    'token.invalid',
    'this data folder has not joined a coordinator yet: shoal-agent join TOKEN --data DIR',
  );
}
