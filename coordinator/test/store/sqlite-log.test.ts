import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createLogger, type LogRecord } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite/index.ts';
import { openLogFlush } from '../../src/store/sqlite/log-flush.ts';
import { LogKeeper } from '../../src/store/sqlite/log-keeper.ts';
import { aTask } from '../support/builders.ts';
import { never } from './store.conformance.ts';

const megabyte = 1024 * 1024;
const aTaskOf = (id: string, sizeBytes = 10) =>
  ({ kind: 'task', task: aTask({ id, reason: 'x'.repeat(sizeBytes) }) }) as const;

/** A started store whose flushes wait for, or fail by, what the test says. */
async function aStore(
  beforeFlush: () => Promise<void> = async () => {},
  beforeClose: (path: string) => void = () => {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'coordinator.sqlite');
  const clock = new VirtualClock();
  const store = new SqliteStore(clock, {
    path,
    openLog: async (database) => {
      const log = await openLogFlush(database);
      return {
        ...log,
        flush: () => beforeFlush().then(() => log.flush()),
        close: async () => {
          beforeClose(database);
          await log.close();
        },
      };
    },
  });
  await store.start(never);
  const ids = async (of: string) => {
    const other = new SqliteStore(clock, { path: of });
    await other.start(never);
    const { unfinishedTasks } = await other.load();
    await clock.until(other.stop());
    return unfinishedTasks.map(({ id }) => id);
  };
  return { store, clock, path, folder, ids };
}

describe("SQLite's log", () => {
  it('is flushed before a commit is said to be durable; a read sees the commit before', async () => {
    const gate = Promise.withResolvers<void>();
    let isFlushing = () => {};
    const flushing = new Promise<void>((resolve) => {
      isFlushing = resolve;
    });
    const { store, clock } = await aStore(() => {
      isFlushing();
      return gate.promise;
    });
    let isDurable = false;
    const commit = store.commit([aTaskOf('tsk_1')]).then(() => {
      isDurable = true;
    });
    await clock.until(flushing);
    await new Promise(setImmediate);
    expect(isDurable).toBe(false);
    expect(await store.task('tsk_1')).toMatchObject({ id: 'tsk_1' });
    gate.resolve();
    await clock.until(commit);
    await clock.until(store.stop());
  });

  it('fails a commit that it cannot be flushed for; before the next, all of it is brought to the database file', async () => {
    let broken = true;
    const { store, clock, path, folder, ids } = await aStore(async () => {
      if (broken) throw new Error('EIO: i/o error, fdatasync');
    });
    await expect(clock.until(store.commit([aTaskOf('tsk_1')]))).rejects.toMatchObject({
      code: 'io.failed',
      message: /EIO/,
    });
    broken = false;
    await clock.until(store.commit([aTaskOf('tsk_2')]));
    const copy = join(folder, 'copy.sqlite');
    copyFileSync(path, copy);
    expect(await ids(copy)).toEqual(['tsk_1']);
    await clock.until(store.stop());
    expect(await ids(path)).toEqual(['tsk_1', 'tsk_2']);
  });

  it('stays short, and nothing that was committed is missing', async () => {
    const { store, clock, path, ids } = await aStore();
    const names = Array.from({ length: 24 }, (_, at) => `tsk_${String(at).padStart(2, '0')}`);
    let longest = 0;
    for (const id of names) {
      await clock.until(store.commit([aTaskOf(id, megabyte)]));
      longest = Math.max(longest, statSync(`${path}-wal`).size);
    }
    expect(longest).toBeGreaterThan(4 * megabyte);
    expect(longest).toBeLessThan(6 * megabyte);
    await clock.until(store.stop());
    expect(await ids(path)).toEqual(names);
  });

  it('stays short while what is past its time is deleted', async () => {
    const { store, clock, path } = await aStore();
    // They ended in another order than they lie in the file, so that each deletion writes a page of its own.
    const tasks = Array.from({ length: 4_000 }, (_, at) => {
      const endedAtMs = (at * 7919) % 4_000;
      return {
        kind: 'task',
        task: aTask({ id: `tsk_${at}`, state: 'succeeded', endedAtMs, reason: 'x'.repeat(2_000) }),
      } as const;
    });
    for (let at = 0; at < tasks.length; at += 250) await clock.until(store.commit(tasks.slice(at, at + 250)));
    const none = { endedTasks: 0, endedTaskAgeMs: 0, cameraResults: 0, cameraResultAgeMs: 0, events: 0, eventAgeMs: 0 };
    while ((await store.prune(none, 10_000, 250)) > 0);
    expect(statSync(`${path}-wal`).size).toBeLessThan(8 * megabyte);
    await clock.until(store.stop());
  });

  it("is let go of only when SQLite has let go of it: SQLite's locks would go with the file", async () => {
    let isOpen: boolean | undefined;
    const { store, clock } = await aStore(undefined, (path) => {
      isOpen = existsSync(`${path}-wal`);
    });
    await clock.until(store.stop());
    expect(isOpen).toBe(false);
  });
});

it('a process that has nothing else to do waits for its store to stop', async () => {
  const { store, clock, path } = await aStore();
  await clock.until(store.stop());
  const script = join(import.meta.dirname, 'commits-and-stops.ts');
  const child = spawn(process.execPath, ['--conditions=source', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) said.push(line);
  expect(said).toEqual(['stopped']);
});

describe('a coordinator that is killed', () => {
  // The eighth commit makes the first checkpoint due: killed before, around and after it.
  it.each([5, 8, 9, 10, 17])('after %i commits has lost none that was durable', async (count) => {
    const { store, clock, path, ids } = await aStore();
    await clock.until(store.stop());
    const script = join(import.meta.dirname, 'commits-until-killed.ts');
    const child = spawn(process.execPath, ['--conditions=source', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const durable: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      durable.push(line);
      if (durable.length === count) child.kill('SIGKILL');
    }
    expect(durable.length).toBeGreaterThanOrEqual(count);
    expect((await ids(path)).slice(0, durable.length)).toEqual(durable);
  });
});

describe('who keeps the log', () => {
  /** A log that grows by as much with each flush, and checkpoints that the test lets succeed or fail. */
  function aKeeper() {
    let sizeBytes = 0;
    let fails = false;
    const log = {
      flush: async () => {
        sizeBytes += 60;
        if (fails) throw new Error('EIO');
      },
      sizeBytes: () => sizeBytes,
      close: async () => {},
    };
    const checkpoints: PromiseWithResolvers<void>[] = [];
    const checkpointer = {
      checkpoint: () => {
        const made = Promise.withResolvers<void>();
        checkpoints.push(made);
        return made.promise;
      },
      close: async () => {},
    };
    const failFlushes = () => {
      fails = true;
    };
    const clock = new VirtualClock();
    const said: LogRecord[] = [];
    const logger = createLogger((record) => said.push(record));
    const keeper = new LogKeeper({ log, checkpointer, clock, logger }, 100);
    return { keeper, checkpoints, failFlushes, clock, said };
  }

  it('has commits wait while a checkpoint is made, not the one that made it due', async () => {
    const { keeper, checkpoints } = aKeeper();
    await keeper.flush();
    expect(checkpoints).toHaveLength(0);
    await keeper.flush();
    expect(checkpoints).toHaveLength(1);
    let isReady = false;
    const ready = keeper.ready().then(() => {
      isReady = true;
    });
    await new Promise(setImmediate);
    expect(isReady).toBe(false);
    checkpoints[0]?.resolve();
    await ready;
  });

  it('goes on with a longer log when a checkpoint fails, and tries again when it has grown as much again', async () => {
    const { keeper, checkpoints } = aKeeper();
    await keeper.flush();
    await keeper.flush();
    checkpoints[0]?.reject(new Error('disk full'));
    await keeper.ready();
    await keeper.flush();
    expect(checkpoints).toHaveLength(1);
    await keeper.flush();
    expect(checkpoints).toHaveLength(2);
    checkpoints[1]?.resolve();
    await keeper.close();
  });

  it('says that checkpoints fail, with what to do, once an hour, and when they succeed again', async () => {
    const { keeper, checkpoints, clock, said } = aKeeper();
    const grow = async (end: (made: PromiseWithResolvers<void>) => void) => {
      const before = checkpoints.length;
      while (checkpoints.length === before) await keeper.flush();
      end(checkpoints.at(-1) as PromiseWithResolvers<void>);
      await keeper.ready();
    };
    const fail = () => grow(({ reject }) => reject(new Error('database is locked')));
    await fail();
    expect(said).toMatchObject([
      {
        level: 'error',
        message: expect.stringMatching(/make room on its disk/),
        fields: { logBytes: 120, error: expect.stringContaining('database is locked') },
      },
    ]);
    await fail();
    await clock.advance(3_599_999);
    await fail();
    expect(said).toHaveLength(1);
    await clock.advance(1);
    await fail();
    expect(said).toHaveLength(2);
    await grow(({ resolve }) => resolve());
    expect(said[2]).toMatchObject({ level: 'info' });
    await fail();
    expect(said).toHaveLength(4);
    await keeper.close();
  });

  it('makes one checkpoint at a time, whoever needs it', async () => {
    const { keeper, checkpoints } = aKeeper();
    await keeper.flush();
    await keeper.flush();
    keeper.keepShort();
    await keeper.flush();
    expect(checkpoints).toHaveLength(1);
    checkpoints[0]?.resolve();
    await keeper.close();
  });

  it('has all that wait after a failed flush wait for the same checkpoint', async () => {
    const { keeper, checkpoints, failFlushes } = aKeeper();
    failFlushes();
    await expect(keeper.flush()).rejects.toThrow('EIO');
    const both = Promise.all([keeper.ready(), keeper.ready()]);
    await new Promise(setImmediate);
    expect(checkpoints).toHaveLength(1);
    checkpoints[0]?.resolve();
    await both;
    await keeper.close();
  });
});
