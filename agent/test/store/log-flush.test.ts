import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OutboxEntry } from '@shoal/agent';
import { newIdentity, seededRandom, utf8 } from '@shoal/protocol';
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

it('what is committed while a flush runs is flushed after it; when that one failed, it is brought to the database file', async () => {
  const flushes: PromiseWithResolvers<void>[] = [];
  const { store, path, folder } = aStore(() => {
    const flush = Promise.withResolvers<void>();
    flushes.push(flush);
    return flush.promise;
  });
  const first = store.outbox.append([entry(1)]);
  await new Promise(setImmediate);
  const others = [store.outbox.append([entry(2)]), store.outbox.append([entry(3)])];
  await new Promise(setImmediate);
  expect(flushes).toHaveLength(1);
  flushes[0]?.reject(new Error('EIO: i/o error, fdatasync'));
  await expect(first).rejects.toMatchObject({ code: 'io.failed' });
  await Promise.all(others);
  const copy = join(folder, 'copy.db');
  copyFileSync(path, copy);
  const found = openSqliteAgentStore(copy);
  expect((await found.outbox.read(0, 10)).map(({ id }) => id)).toEqual([1, 2, 3]);
  await found.close();
  await store.close();
});

it('a sequence that was received is not forgotten with a transaction that was not committed', async () => {
  const { store, path } = aStore(async () => {});
  const sender = newIdentity('coordinator', seededRandom(1)).id;
  // A constraint that is looked at when the transaction ends.
  const other = new DatabaseSync(path);
  other.exec(`CREATE TABLE first (id INTEGER PRIMARY KEY);
    CREATE TABLE second (id REFERENCES first DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER wrong AFTER INSERT ON outbox BEGIN INSERT INTO second VALUES (1); END`);
  store.sequences.recordReceived(sender, 7);
  await expect(store.outbox.append([entry(1)])).rejects.toThrow('FOREIGN KEY');
  other.close();
  await store.close();
  const found = openSqliteAgentStore(path);
  expect(found.sequences.lastReceived(sender)).toBe(7);
  await found.close();
});
