import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutboxEntry } from '@shoal/agent';
import { seededRandom, utf8 } from '@shoal/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteAgentStore } from '../../src/store/sqlite/index.ts';

const writes = 12;
/** Written together: both or none. */
const pair = (n: number): OutboxEntry[] =>
  [2 * n - 1, 2 * n].map((id) => ({
    id,
    kind: 'camera-report',
    statement: utf8('s'.repeat(200)),
    payload: utf8('p'.repeat(900)),
  }));

/** What a power cut leaves of the last blocks of a file: they are missing, or there is something else in them. */
const tears = {
  missing: (log: Uint8Array, cut: number) => log.subarray(0, cut),
  empty: (log: Uint8Array, cut: number) => Uint8Array.from(log).fill(0, cut),
  garbage: (log: Uint8Array, cut: number) => {
    const torn = Uint8Array.from(log);
    torn.set(seededRandom(cut).bytes(log.length - cut), cut);
    return torn;
  },
};

it.for(Object.entries(tears))(
  'of a log that was torn anywhere, its end %s, all is there that was said to be durable before, and no half of a write',
  async ([, tear]) => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-torn-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'agent.db');
    const store = openSqliteAgentStore(path);
    /** How long the log was when the nth write was said to be durable. */
    const durableAt: number[] = [];
    for (let n = 1; n <= writes; n++) {
      await store.outbox.append(pair(n));
      durableAt.push(statSync(`${path}-wal`).size);
    }
    const log = readFileSync(`${path}-wal`);
    const random = seededRandom(1);
    for (let round = 0; round < 12; round++) {
      const cut = Math.floor(random.next() * log.length);
      const copy = join(folder, `copy-${round}.db`);
      copyFileSync(path, copy);
      writeFileSync(`${copy}-wal`, tear(log, cut));
      const found = openSqliteAgentStore(copy);
      const ids = (await found.outbox.read(0, 2 * writes)).map(({ id }) => id);
      // It goes on from there.
      await found.outbox.append(pair(writes + 1));
      await found.close();
      const sure = durableAt.filter((size) => size <= cut).length;
      expect(ids.length / 2).toBeGreaterThanOrEqual(sure);
      expect(ids).toEqual(Array.from({ length: 2 * Math.ceil(ids.length / 2) }, (_, index) => index + 1));
    }
    await store.close();
  },
);
