import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentStore, MemoryAgentStore, type OutboxEntry } from '@shoal/agent';

import { CameraAssignment, utf8, VariantProfile } from '@shoal/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteAgentStore } from '../../src/store/sqlite/index.ts';

/** How a store of each kind is made, and how it comes back after the process has ended. */
const kinds = {
  memory: () => {
    const store = new MemoryAgentStore();
    return { open: (): AgentStore => store, end: () => {} };
  },
  sqlite: () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-agent-store-'));
    return {
      open: (): AgentStore => openSqliteAgentStore(join(folder, 'agent.db')),
      end: () => rmSync(folder, { recursive: true }),
    };
  },
};

const report = (id: number, payloadBytes = 100, kind: OutboxEntry['kind'] = 'camera-report'): OutboxEntry => ({
  id,
  kind,
  statement: utf8(`statement ${id}`),
  payload: new Uint8Array(payloadBytes).fill(id),
});

describe.each(Object.entries(kinds))('the %s agent store', (_kind, make) => {
  let place: { open: () => AgentStore; end: () => void };
  let store: AgentStore;

  beforeEach(() => {
    place = make();
    store = place.open();
  });

  afterEach(async () => {
    await store.close();
    place.end();
  });

  const restart = async () => {
    await store.close();
    store = place.open();
  };

  describe('sequences', () => {
    it('are never given out twice, restarts included', async () => {
      expect(await store.sequences.reserve(10)).toBe(1);
      expect(await store.sequences.reserve(5)).toBe(11);
      await restart();
      expect(await store.sequences.reserve(1)).toBe(16);
    });

    it('received are remembered by sender', async () => {
      store.sequences.recordReceived('crd_a', 7);
      store.sequences.recordReceived('crd_b', 9);
      store.sequences.recordReceived('crd_a', 8);
      await restart();
      expect(store.sequences.lastReceived('crd_a')).toBe(8);
      expect(store.sequences.lastReceived('crd_b')).toBe(9);
      expect(store.sequences.lastReceived('crd_c')).toBe(0);
    });
  });

  describe('membership', () => {
    const first = { publicKey: new Uint8Array(32).fill(1), addresses: ['mqtt://a:1', 'mqtt://b:2'] };
    const second = { publicKey: new Uint8Array(32).fill(2), addresses: ['mqtt://c:3'] };
    const camera = CameraAssignment.decode(CameraAssignment.encode({ cameraId: 'cam_1' }));

    it('is unknown before the first join', () => {
      expect(store.membership.pinned()).toBeUndefined();
      expect(store.membership.welcomedAtMs()).toBeUndefined();
      expect(store.membership.probed()).toBeUndefined();
    });

    it('pins a coordinator for good', async () => {
      await store.membership.pin(first);
      await store.membership.recordWelcome(123);
      await store.membership.recordShown(Uint8Array.of(1, 2, 0xff));
      await restart();
      expect([...(store.membership.shown() ?? [])]).toEqual([1, 2, 0xff]);
      expect(store.membership.pinned()?.addresses).toEqual(first.addresses);
      expect([...(store.membership.pinned()?.publicKey ?? [])]).toEqual([...first.publicKey]);
      expect(store.membership.welcomedAtMs()).toBe(123);
    });

    it('remembers that what is said to the coordinator is sealed', async () => {
      await store.membership.pin({ ...first, seal: true });
      await restart();
      expect(store.membership.pinned()?.seal).toBe(true);
      await store.membership.pin(first);
      await restart();
      expect(store.membership.pinned()?.seal ?? false).toBe(false);
    });

    it("forgets the old coordinator's cameras when another is pinned, and keeps them when only the address changed", async () => {
      await store.membership.pin(first);
      await store.cameras.put(camera);
      await store.membership.recordShown(Uint8Array.of(1));
      await store.membership.pin({ ...first, addresses: ['mqtt://moved:1'] });
      expect(store.cameras.all()).toHaveLength(1);
      expect(store.membership.shown()).toBeDefined();
      await store.membership.pin(second);
      expect(store.cameras.all()).toHaveLength(0);
      expect(store.membership.welcomedAtMs()).toBeUndefined();
      expect(store.membership.shown()).toBeUndefined();
    });

    it('remembers what was probed', async () => {
      const probed = { fingerprint: 'x', runtimes: ['onnx'], decoders: ['h264'], taskSlots: 2 };
      await store.membership.recordProbed(probed);
      await restart();
      expect(store.membership.probed()).toEqual(probed);
    });
  });

  describe('outbox', () => {
    it('gives entries back in order, whole, after a restart', async () => {
      await store.outbox.append([report(1), report(2, 0, 'task-outcome')]);
      await store.outbox.append([report(3)]);
      await restart();
      const read = await store.outbox.read(0, 10);
      expect(read.map(({ id, kind, payload }) => [id, kind, payload.length])).toEqual([
        [1, 'camera-report', 100],
        [2, 'task-outcome', 0],
        [3, 'camera-report', 100],
      ]);
      expect(Buffer.from(read[2]?.statement ?? []).toString()).toBe('statement 3');
      expect(store.outbox.lastId()).toBe(3);
      expect(store.outbox.totals()).toEqual({ count: 3, sizeBytes: 200 + 3 * 11 });
    });

    it('reads on from where it was', async () => {
      await store.outbox.append([1, 2, 3, 4].map((id) => report(id)));
      expect((await store.outbox.read(1, 2)).map(({ id }) => id)).toEqual([2, 3]);
    });

    it('takes an entry again whose write was done though it was said to have failed, and counts it once', async () => {
      await store.outbox.append([report(1), report(2)]);
      await store.outbox.append([report(2), report(3)]);
      expect(store.outbox.totals()).toEqual({ count: 3, sizeBytes: 3 * 111 });
      expect((await store.outbox.read(0, 10)).map(({ id }) => id)).toEqual([1, 2, 3]);
    });

    it('counts what was removed once, also when it is removed twice', async () => {
      await store.outbox.append([report(1), report(2)]);
      await store.outbox.remove([1]);
      await store.outbox.remove([1, 99]);
      expect(store.outbox.totals()).toEqual({ count: 1, sizeBytes: 111 });
      await restart();
      expect(store.outbox.totals()).toEqual({ count: 1, sizeBytes: 111 });
    });

    it('gives up the oldest payloads of camera reports, and never a statement or a task outcome', async () => {
      await store.outbox.append([report(1, 100, 'task-outcome'), report(2), report(3), report(4)]);
      expect(await store.outbox.shedPayloads(150)).toEqual({ reports: 2, sizeBytes: 200 });
      const read = await store.outbox.read(0, 10);
      expect(read.map(({ payload }) => payload.length)).toEqual([100, 0, 0, 100]);
      expect(read.every(({ statement }) => statement.length === 11)).toBe(true);
      expect(await store.outbox.shedPayloads(10_000)).toEqual({ reports: 1, sizeBytes: 100 });
      expect(store.outbox.totals()).toEqual({ count: 4, sizeBytes: 100 + 4 * 11 });
    });
  });

  it('keeps the newest profile of each model, variant and engine', async () => {
    const profile = (variant: string, p50Ms: number) =>
      VariantProfile.decode(VariantProfile.encode({ model: 'm', variant, engine: 'onnx', p50Ms, samples: 3 }));
    await store.profiles.put({ fingerprint: 'a', profile: profile('int8', 10) });
    await store.profiles.put({ fingerprint: 'a', profile: profile('float32', 20) });
    await store.profiles.put({ fingerprint: 'b', profile: profile('int8', 11) });
    await restart();
    const all = store.profiles
      .all()
      .map(({ fingerprint, profile: { variant, p50Ms } }) => [fingerprint, variant, p50Ms]);
    expect(all.sort()).toEqual([
      ['a', 'float32', 20],
      ['b', 'int8', 11],
    ]);
  });

  it('keeps camera assignments, and never gives out a report number twice, not even after a camera was away', async () => {
    const assignment = CameraAssignment.decode(
      CameraAssignment.encode({ cameraId: 'cam_1', revision: 2, source: 'rtsp://u:p@h/', targetFps: 5, loop: true }),
    );
    await store.cameras.put(assignment);
    expect(await store.cameras.reserveNumbers('cam_1', 100)).toBe(1);
    await restart();
    expect(store.cameras.all()).toEqual([assignment]);
    await store.cameras.remove('cam_1');
    expect(store.cameras.all()).toEqual([]);
    expect(await store.cameras.reserveNumbers('cam_1', 1)).toBe(101);
    expect(await store.cameras.reserveNumbers('cam_2', 1)).toBe(1);
  });
});

describe('the sqlite agent store', () => {
  it('does not grow when payloads are given up and new ones come', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-agent-store-'));
    const path = join(folder, 'agent.db');
    const store = openSqliteAgentStore(path);
    let id = 0;
    const fill = async () => store.outbox.append(Array.from({ length: 500 }, () => report(++id, 4000)));
    const sizes: number[] = [];
    for (let round = 0; round < 6; round++) {
      await fill();
      await store.outbox.shedPayloads(2_000_000);
      sizes.push(statSync(path).size + statSync(`${path}-wal`).size);
    }
    await store.close();
    // Six rounds wrote 12 MB of payloads; what stays is one round of them, the write-ahead log and the statements.
    expect(statSync(path).size).toBeLessThan(4_000_000);
    rmSync(folder, { recursive: true });
  });
});
