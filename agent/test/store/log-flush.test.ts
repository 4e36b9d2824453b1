import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutboxEntry } from '@shoal/agent';
import { utf8 } from '@shoal/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteAgentStore } from '../../src/store/sqlite/index.ts';
import { openLogFlush } from '../../src/store/sqlite/log-flush.ts';

const entry = (id: number): OutboxEntry => ({ id, kind: 'camera-report', statement: utf8('s'), payload: utf8('p') });

/** A store whose flushes wait for, or fail by, what the test says. */
function aStore(beforeFlush: () => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-flush-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'agent.db');
  const store = openSqliteAgentStore(path, (database) => {
    const log = openLogFlush(database);
    return { flush: () => beforeFlush().then(() => log.flush()), close: () => log.close() };
  });
  return { store, path, folder };
}

it('what is written is durable, and said to be, only once the log is flushed', async () => {
  const gate = Promise.withResolvers<void>();
  const { store } = aStore(() => gate.promise);
  let settled = 0;
  const writes = [store.outbox.append([entry(1)]), store.sequences.reserve(1), store.cameras.remove('c')];
  for (const write of writes) void write.then(() => settled++);
  await new Promise(setImmediate);
  expect(settled).toBe(0);
  // Who makes room in the outbox counts on it at once.
  expect(store.outbox.totals()).toEqual({ count: 1, sizeBytes: 2 });
  gate.resolve();
  await Promise.all(writes);
  expect(settled).toBe(3);
  await store.close();
});

it('a flush that fails fails what waits for it; the next write brings everything to the database file first, and nothing counts twice', async () => {
  let broken = true;
  const { store, path, folder } = aStore(async () => {
    if (broken) throw new Error('EIO: i/o error, fdatasync');
  });
  await expect(store.outbox.append([entry(1), entry(2)])).rejects.toMatchObject({ code: 'io.failed', message: /EIO/ });
  broken = false;
  await store.outbox.append([entry(1), entry(2)]);
  expect(store.outbox.totals()).toEqual({ count: 2, sizeBytes: 4 });
  await store.outbox.append([entry(3)]);
  expect(store.outbox.totals()).toEqual({ count: 3, sizeBytes: 6 });
  // What the log holds is what the system did flush since; the file alone has what was in it when the flush failed.
  const copy = join(folder, 'copy.db');
  copyFileSync(path, copy);
  const found = openSqliteAgentStore(copy);
  expect((await found.outbox.read(0, 10)).map(({ id }) => id)).toEqual([1, 2]);
  await found.close();
  await store.close();
});
