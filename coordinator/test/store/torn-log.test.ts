import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite/index.ts';
import { aTask } from '../support/builders.ts';
import { never } from './store.conformance.ts';

const commits = 12;
const idOf = (n: number, half: string) => `tsk_${String(n).padStart(3, '0')}${half}`;
/** Committed together: both or none. */
const pair = (n: number) =>
  ['a', 'b'].map((half) => ({ kind: 'task', task: aTask({ id: idOf(n, half), reason: 'x'.repeat(900) }) }) as const);

it('of a log that a power cut tore anywhere, every commit is there that was said to be durable before, and no half of one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-torn-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'coordinator.sqlite');
  const clock = new VirtualClock();
  const store = new SqliteStore(clock, { path });
  await store.start(never);
  /** How long the log was when the nth commit was said to be durable. */
  const durableAt: number[] = [];
  for (let n = 1; n <= commits; n++) {
    await clock.until(store.commit(pair(n)));
    durableAt.push(statSync(`${path}-wal`).size);
  }
  const log = readFileSync(`${path}-wal`);
  const random = seededRandom(2);
  for (let round = 0; round < 12; round++) {
    const cut = Math.floor(random.next() * log.length);
    const torn = Uint8Array.from(log);
    torn.set(random.bytes(log.length - cut), cut);
    const copy = join(folder, `copy-${round}.sqlite`);
    copyFileSync(path, copy);
    writeFileSync(`${copy}-wal`, torn);
    const found = new SqliteStore(clock, { path: copy });
    await found.start(never);
    const ids = (await found.load()).unfinishedTasks.map(({ id }) => id);
    await clock.until(found.stop());
    expect(ids.length / 2).toBeGreaterThanOrEqual(durableAt.filter((size) => size <= cut).length);
    const whole = Array.from({ length: Math.ceil(ids.length / 2) }, (_, index) => [
      idOf(index + 1, 'a'),
      idOf(index + 1, 'b'),
    ]);
    expect(ids.toSorted()).toEqual(whole.flat());
  }
  await clock.until(store.stop());
});
