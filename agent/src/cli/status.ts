import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importPeerKey, isShoalError, redactSource, ShoalError } from '@shoal/protocol';
import { loadOrCreateIdentity, NextIdentity, systemRandom } from '@shoal/protocol/real';
import { DataFolderLock, openSqliteAgentStore } from '../store/sqlite/index.ts';

export interface FolderStatus {
  readonly device: string;
  /** Under the key that it takes at its next start. */
  readonly nextDevice: string | null;
  readonly data: string;
  /** Whether an agent runs on the folder now. */
  readonly running: boolean;
  readonly coordinator: {
    readonly id: string;
    readonly addresses: readonly string[];
    readonly joinedAt: string | null;
    readonly sealed: boolean;
  } | null;
  readonly outbox: { readonly results: number; readonly sizeBytes: number };
  readonly cameras: readonly {
    readonly id: string;
    readonly name: string;
    readonly source: string;
    readonly pipeline: string;
    readonly model: string;
  }[];
  readonly profiles: readonly {
    readonly model: string;
    readonly variant: string;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly confidence: number;
  }[];
}

/** What a data folder holds. Reads only; the agent may run meanwhile. @throws `not-found` when nothing ever ran on it */
export async function readStatus(data: string): Promise<FolderStatus> {
  const folder = resolve(data);
  if (!existsSync(join(folder, 'agent.db'))) {
    throw new ShoalError('not-found', `no agent has run on ${folder} yet: shoal-agent join TOKEN --data ${data}`);
  }
  const identity = await loadOrCreateIdentity(join(folder, 'device.key'), 'device', systemRandom);
  const next = await new NextIdentity(join(folder, 'device.key'), 'device').load();
  const store = openSqliteAgentStore(join(folder, 'agent.db'));
  try {
    const pinned = store.membership.pinned();
    const joinedAtMs = store.membership.welcomedAtMs();
    const { count, sizeBytes } = store.outbox.totals();
    return {
      device: identity.id,
      nextDevice: next?.id ?? null,
      data: folder,
      running: isLocked(folder),
      coordinator: pinned
        ? {
            id: importPeerKey('coordinator', pinned.publicKey).id,
            addresses: pinned.addresses,
            sealed: pinned.seal ?? false,
            joinedAt: joinedAtMs === undefined ? null : new Date(joinedAtMs).toISOString(),
          }
        : null,
      outbox: { results: count, sizeBytes },
      cameras: store.cameras.all().map(({ cameraId: id, name, source, pipeline, model }) => ({
        id,
        name,
        source: redactSource(source),
        pipeline,
        model,
      })),
      profiles: store.profiles.all().map(({ profile: { model, variant, p50Ms, p95Ms, confidence } }) => ({
        model,
        variant,
        p50Ms,
        p95Ms,
        confidence,
      })),
    };
  } finally {
    await store.close();
  }
}

export function describeStatus(status: FolderStatus): string {
  const { coordinator } = status;
  const lines = [
    `device       ${status.device}`,
    ...(status.nextDevice ? [`new key      ${status.nextDevice}, from its next start on`] : []),
    `agent        ${status.running ? 'running' : 'not running'} on ${status.data}`,
    coordinator
      ? `coordinator  ${coordinator.id} at ${coordinator.addresses.join(', ')}${coordinator.joinedAt ? `, joined ${coordinator.joinedAt}` : ', not joined yet'}${coordinator.sealed ? ', sealed' : ''}`
      : 'coordinator  none: shoal-agent join TOKEN',
    `outbox       ${status.outbox.results} results, ${status.outbox.sizeBytes} bytes`,
    ...status.cameras.map(
      ({ id, name, source, pipeline, model }) => `camera       ${name || id}: ${source}, ${pipeline} with ${model}`,
    ),
    ...status.profiles.map(
      ({ model, variant, p50Ms, p95Ms, confidence }) =>
        `profile      ${model} ${variant}: ${p50Ms.toFixed(1)} ms, 95 % within ${p95Ms.toFixed(1)} ms, ${Math.round(confidence * 100)} % sure`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function isLocked(folder: string): boolean {
  try {
    DataFolderLock.take(folder).release();
    return false;
  } catch (error) {
    if (isShoalError(error, 'conflict')) return true;
    throw error;
  }
}
