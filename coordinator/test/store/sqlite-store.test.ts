import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { VirtualClock } from '@shoal/protocol/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite/index.ts';
import { aTask } from '../support/builders.ts';
import { never, storeConformance } from './store.conformance.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const aPath = () => join(folder, `${++files}.db`);

const opened = async (clock: VirtualClock, path: string, mostBytes?: number) => {
  const store = new SqliteStore(clock, { path, ...(mostBytes !== undefined && { mostBytes }) });
  await store.start(never);
  return store;
};

storeConformance('sqlite', () => {
  const path = aPath();
  return {
    open: (clock) => opened(clock, path),
    // The next store reads what lies in the file and its log; what this one has in memory is not written any more.
    async crash() {},
  };
});

describe('a SQLite store', () => {
  it('says what to do when the file is not a database', async () => {
    const path = aPath();
    writeFileSync(path, 'this is a text, and long enough to be read as the header of a database file by mistake');
    const start = new SqliteStore(new VirtualClock(), { path }).start(never);
    await expect(start).rejects.toMatchObject({ code: 'io.failed', message: /damaged or not a database.*backup/ });
  });

  it('says so when a later version wrote the file', async () => {
    const path = aPath();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const start = new SqliteStore(new VirtualClock(), { path }).start(never);
    await expect(start).rejects.toMatchObject({ code: 'io.failed', message: /later version.*schema 99/ });
  });

  it('says so when the folder is not there', async () => {
    const start = new SqliteStore(new VirtualClock(), { path: join(folder, 'no', 'such.db') }).start(never);
    await expect(start).rejects.toMatchObject({ code: 'io.failed', message: /no.such\.db/ });
  });

  it('refuses with disk-full when the file may not grow, loses nothing, and goes on when there is room', async () => {
    const clock = new VirtualClock();
    const path = aPath();
    const big = aTask({ id: 'tsk_big', reason: 'x'.repeat(3_000_000) });
    const full = await opened(clock, path, 1_000_000);
    await clock.until(full.commit([{ kind: 'task', task: aTask({ id: 'tsk_before' }) }]));
    await expect(clock.until(full.commit([{ kind: 'task', task: big }]))).rejects.toMatchObject({
      code: 'io.disk-full',
    });
    await clock.until(full.commit([{ kind: 'task', task: aTask({ id: 'tsk_after' }) }]));
    await clock.until(full.stop());
    const roomy = await opened(clock, path);
    await clock.until(roomy.commit([{ kind: 'task', task: big }]));
    expect((await roomy.load()).unfinishedTasks.map(({ id }) => id)).toEqual(['tsk_after', 'tsk_before', 'tsk_big']);
    await clock.until(roomy.stop());
  });

  it('can be stopped twice, and before it was started', async () => {
    const store = new SqliteStore(new VirtualClock(), { path: aPath() });
    await store.stop();
    await store.stop();
    expect(store.counts).toEqual({ commits: 0, changes: 0 });
  });
});
